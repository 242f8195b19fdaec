/* The C ABI from C: the layout that must never change, and a host in plain C that loads an app, preloads it and lets it answer.
 * Usage: c_abi_test LIBRARY, an app that answers GET / with 200 and "Hello, World!\n". */
#include <dlfcn.h>
#include <serval/serval.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Layout (64-bit). A line here may be added, never changed: apps built long ago rely on it. ---- */

#if UINTPTR_MAX == UINT64_MAX
#define AT(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type "." #member " has moved")
#define LEAST(type, bytes) _Static_assert(sizeof(type) >= (bytes), #type " has shrunk")

_Static_assert(sizeof(serval_text) == 16, "serval_text never changes");
_Static_assert(sizeof(serval_field) == 32, "serval_field never changes");
AT(serval_text, data, 0);
AT(serval_text, size, 8);
AT(serval_field, name, 0);
AT(serval_field, value, 16);

AT(serval_request, size, 0);
AT(serval_request, http_major, 4);
AT(serval_request, http_minor, 6);
AT(serval_request, method, 8);
AT(serval_request, target, 24);
AT(serval_request, path, 40);
AT(serval_request, query, 56);
AT(serval_request, host, 72);
AT(serval_request, scheme, 88);
AT(serval_request, peer, 104);
AT(serval_request, request_id, 120);
AT(serval_request, headers, 136);
AT(serval_request, header_count, 144);
AT(serval_request, body, 152);
AT(serval_request, body_fd, 168);
AT(serval_request, peer_port, 172);
AT(serval_request, deadline_ns, 176);
LEAST(serval_request, 184);

AT(serval_response, size, 0);
AT(serval_response, status, 4);
AT(serval_response, headers, 8);
AT(serval_response, header_count, 16);
AT(serval_response, body, 24);
AT(serval_response, release, 40);
AT(serval_response, release_context, 48);
LEAST(serval_response, 56);

AT(serval_preload, size, 0);
AT(serval_preload, generation, 4);
AT(serval_preload, name, 8);
AT(serval_preload, args, 24);
AT(serval_preload, arg_count, 32);
LEAST(serval_preload, 40);

AT(serval_worker, size, 0);
AT(serval_worker, generation, 4);
AT(serval_worker, slot, 8);
AT(serval_worker, threads, 12);
AT(serval_worker, name, 16);
LEAST(serval_worker, 32);

AT(serval_host, size, 0);
AT(serval_host, abi_major, 4);
AT(serval_host, abi_minor, 8);
AT(serval_host, features, 12);
AT(serval_host, version, 16);
AT(serval_host, log, 32);
AT(serval_host, explain, 40);
AT(serval_host, respond, 48);
AT(serval_host, fail, 56);
AT(serval_host, header, 64);
AT(serval_host, query_value, 72);
AT(serval_host, percent_decode, 80);
AT(serval_host, deadline, 88);
AT(serval_host, extend, 96);
AT(serval_host, cancelled, 104);
AT(serval_host, metric, 112);
AT(serval_host, metric_row, 120);
AT(serval_host, metric_add, 128);
AT(serval_host, metric_set, 136);
AT(serval_host, metric_move, 144);
AT(serval_host, metric_observe, 152);
AT(serval_host, task, 160);
AT(serval_host, job_argument, 168);
AT(serval_host, job_instance, 176);
AT(serval_host, job_stopping, 184);
AT(serval_host, job_stop_fd, 192);
AT(serval_host, job_ready, 200);
LEAST(serval_host, 208);

AT(serval_task, size, 0);
AT(serval_task, name, 8);
AT(serval_task, run, 24);
AT(serval_task, context, 32);
LEAST(serval_task, 40);

AT(serval_metric, size, 0);
AT(serval_metric, kind, 4);
AT(serval_metric, name, 8);
AT(serval_metric, help, 24);
AT(serval_metric, labels, 40);
AT(serval_metric, label_count, 48);
AT(serval_metric, max_rows, 56);
AT(serval_metric, bounds, 64);
AT(serval_metric, bound_count, 72);
LEAST(serval_metric, 80);

AT(serval_app, size, 0);
AT(serval_app, abi_major, 4);
AT(serval_app, abi_minor, 8);
AT(serval_app, features, 12);
AT(serval_app, preload, 16);
AT(serval_app, worker_start, 24);
AT(serval_app, handle, 32);
AT(serval_app, ready, 40);
AT(serval_app, worker_stop, 48);
AT(serval_app, destroy, 56);
LEAST(serval_app, 64);
#endif

_Static_assert(SERVAL_LOG_DEBUG == 0 && SERVAL_LOG_INFO == 1 && SERVAL_LOG_WARNING == 2 && SERVAL_LOG_ERROR == 3, "log levels never change");
_Static_assert(SERVAL_COUNTER == 1 && SERVAL_GAUGE == 2 && SERVAL_HISTOGRAM == 3, "kinds of metrics never change");
_Static_assert(SERVAL_ANSWERED == 0 && SERVAL_DEFERRED == 1 && SERVAL_UPGRADED == 2, "what handle returns never changes");

/* ---- A host in C ---- */

#define CHECK(condition)                                                               \
  do {                                                                                 \
    if (!(condition)) {                                                                \
      fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);    \
      exit(1);                                                                         \
    }                                                                                  \
  } while (0)

struct serval_exchange {
  int answers;
  int32_t status;
  char body[256];
  size_t body_size;
  int has_content_type;
};

struct serval_error {
  char why[256];
};

static int is(serval_text text, const char* expected) { return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0; }

static void take_log(int32_t level, serval_text text) { fprintf(stderr, "log %d: %.*s\n", (int)level, (int)text.size, text.data); }

static void take_why(serval_error* error, serval_text why) { snprintf(error->why, sizeof error->why, "%.*s", (int)why.size, why.data); }

static void take_response(serval_exchange* exchange, const serval_response* response) {
  size_t i;
  CHECK(SERVAL_HAS(response, release_context));
  CHECK(response->body.size <= sizeof exchange->body);
  ++exchange->answers;
  exchange->status = response->status;
  memcpy(exchange->body, response->body.data, response->body.size);
  exchange->body_size = response->body.size;
  for (i = 0; i < response->header_count; ++i) exchange->has_content_type |= is(response->headers[i].name, "Content-Type");
  if (response->release != NULL) response->release(response->release_context);
}

static void take_failure(serval_exchange* exchange, serval_text why) {
  ++exchange->answers;
  fprintf(stderr, "failed: %.*s\n", (int)why.size, why.data);
}

static serval_text no_header(const serval_request* request, serval_text name, size_t nth) {
  const serval_text absent = {NULL, 0};
  (void)request, (void)name, (void)nth;
  return absent;
}

static int64_t no_value(const serval_request* request, serval_text name, size_t nth, char* buffer, size_t capacity) {
  (void)request, (void)name, (void)nth, (void)buffer, (void)capacity;
  return -1;
}

static int64_t same_text(serval_text text, char* buffer, size_t capacity) {
  memcpy(buffer, text.data, text.size < capacity ? text.size : capacity);
  return (int64_t)text.size;
}

static uint32_t take_metric(const serval_metric* metric, char* why, size_t capacity) {
  CHECK(SERVAL_HAS(metric, bound_count));
  if (metric->kind == SERVAL_COUNTER) return 1;
  snprintf(why, capacity, "only counters here");
  return 0;
}

static uint32_t first_row(uint32_t metric, const serval_text* values, size_t count) {
  (void)values;
  return metric == 1 && count == 1 ? 1 : 0;
}

static uint64_t counted;

static void count(uint32_t metric, uint32_t row, uint64_t by) { counted += metric == 1 && row == 1 ? by : 0; }

static void ignore(uint32_t metric, uint32_t row, double value) { (void)metric, (void)row, (void)value; }

static const serval_host host = {
    .size = sizeof(serval_host),
    .abi_major = SERVAL_ABI_MAJOR,
    .abi_minor = SERVAL_ABI_MINOR,
    .features = 0,
    .version = {"test", 4},
    .log = take_log,
    .explain = take_why,
    .respond = take_response,
    .fail = take_failure,
    .header = no_header,
    .query_value = no_value,
    .percent_decode = same_text,
    .metric = take_metric,
    .metric_row = first_row,
    .metric_add = count,
    .metric_set = ignore,
    .metric_move = ignore,
    .metric_observe = ignore,
};

/* As an app in C declares and counts. */
static void test_metrics(void) {
  const serval_text labels[] = {{"kind", 4}};
  const serval_text values[] = {{"gift", 4}};
  char why[64] = "";
  uint32_t orders;
  serval_metric metric = {0};
  metric.size = sizeof metric;
  metric.kind = SERVAL_COUNTER;
  metric.name = serval_text_of("orders");
  metric.labels = labels;
  metric.label_count = 1;
  orders = host.metric(&metric, why, sizeof why);
  CHECK(orders != 0);
  host.metric_add(orders, host.metric_row(orders, values, 1), 2);
  CHECK(counted == 2);
  metric.kind = SERVAL_GAUGE;
  CHECK(host.metric(&metric, why, sizeof why) == 0 && why[0] != '\0');
}

/* A table whose filler knew less must not be read further. */
static void test_has(void) {
  serval_host shorter = host;
  shorter.size = offsetof(serval_host, fail);
  CHECK(SERVAL_HAS(&shorter, respond));
  CHECK(!SERVAL_HAS(&shorter, fail));
  CHECK(!SERVAL_HAS(&shorter, percent_decode));
  CHECK(SERVAL_HAS(&host, percent_decode));
}

static const serval_app* load(const char* path) {
  const serval_app* (*entry)(const serval_host*);
  const serval_app* app;
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  *(void**)&entry = dlsym(library, "serval_app_main");
  CHECK(entry != NULL);
  app = entry(&host);
  CHECK(app != NULL);
  CHECK(app->abi_major == SERVAL_ABI_MAJOR);
  CHECK(app->abi_minor <= SERVAL_ABI_MINOR);
  CHECK(SERVAL_HAS(app, destroy));
  CHECK(app->preload != NULL && app->handle != NULL);
  return app;
}

static void* preload(const serval_app* app) {
  const serval_text args[] = {{"one", 3}, {"two", 3}};
  serval_preload told = {0};
  serval_error error = {""};
  void* state = NULL;
  told.size = sizeof told;
  told.generation = 1;
  told.name = serval_text_of("contract");
  told.args = args;
  told.arg_count = 2;
  CHECK(app->preload(&told, &state, &error) == 0);
  return state;
}

static void start(const serval_app* app, void* state) {
  serval_worker told = {0};
  serval_error error = {""};
  told.size = sizeof told;
  told.generation = 1;
  told.threads = 1;
  told.name = serval_text_of("contract");
  CHECK(app->worker_start == NULL || app->worker_start(state, &told, &error) == 0);
  CHECK(app->ready == NULL || app->ready(state));
}

static void answer_once(const serval_app* app, void* state) {
  serval_request request = {0};
  serval_exchange exchange = {0};
  request.size = sizeof request;
  request.http_major = 1;
  request.http_minor = 1;
  request.method = serval_text_of("GET");
  request.target = request.path = serval_text_of("/");
  request.scheme = serval_text_of("http");
  request.peer = serval_text_of("unix");
  request.body_fd = -1;
  CHECK(app->handle(state, &request, &exchange) == SERVAL_ANSWERED);
  CHECK(exchange.answers == 1);
  CHECK(exchange.status == 200);
  CHECK(exchange.has_content_type);
  CHECK(exchange.body_size == strlen("Hello, World!\n") && memcmp(exchange.body, "Hello, World!\n", exchange.body_size) == 0);
}

int main(int argc, char** argv) {
  const serval_app* app;
  void* state;
  CHECK(argc == 2);
  test_has();
  test_metrics();
  app = load(argv[1]);
  state = preload(app);
  start(app, state);
  answer_once(app, state);
  if (app->worker_stop != NULL) app->worker_stop(state);
  if (app->destroy != NULL) app->destroy(state);
  return 0;
}
