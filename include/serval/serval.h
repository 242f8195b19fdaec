/*
 * serval.h: the C ABI between serval and an application built as a shared library. C++ programmers want serval.hpp, which wraps this.
 *
 * An app exports one symbol, serval_app_main. serval calls it once after dlopen(3) and gets a table of functions, the serval_app; the app
 * gets a table of what serval offers, the serval_host. examples/hello_c is a whole app.
 *
 * Conventions
 *
 *  1. Growth. Every struct below (but serval_text and serval_field, which never change) starts with `uint32_t size`: sizeof the struct as
 *     its filler knows it. Structs grow only at their end, so whoever reads one looks at a member only if `size` covers it. In the first
 *     version that serval speaks (ABI 1.0) every member shown here is covered. Test anything newer with SERVAL_HAS(table, member).
 *     Set every member that you do not use to zero: `serval_response r = {0}; r.size = sizeof r;`.
 *  2. Versions. The minor number rises when something is added, the major one when something is broken. serval loads apps of its own major
 *     that ask for a minor it has. The first 16 bytes of serval_host and serval_app keep their meaning in every major.
 *  3. Text is pointer and length, bytes as they are, not NUL-terminated. Length 0 goes with any pointer; a null pointer with length 0 is
 *     "absent" where the difference matters. A null pointer with another length is an error.
 *  4. Ownership. What a caller passes belongs to the caller and is valid during the call only. There are three exceptions: serval_host
 *     and serval_app live until the process ends; the views in a serval_request live until handle() has returned; a response's body with
 *     `release` set belongs to serval until serval calls release(release_context), which it does exactly once, on any thread, also if the
 *     response is refused. That thread is most often the one that serves all connections of the worker: release must not block.
 *  5. Processes. serval_app_main and preload run once per generation, in the mold: a process with one thread that serves nothing. Workers
 *     are forked from it and share its memory copy-on-write. So preload must leave no thread running, and connections are opened in
 *     worker_start. handle and ready run in workers only.
 *     A child that an app forks must leave by _exit(2) or exec: one that comes back out of the function it was forked in is ended.
 *     Descriptors that the app has not opened are serval's, which ends the worker that has lost one; there are more of them than the three.
 *  6. Threads. serval_app_main, preload, worker_start and worker_stop run alone on their process's main thread. handle runs on several
 *     threads at once: on serval_worker.threads of them at most, out of one more, the main thread among them. That one leaves without running
 *     the destructors of its thread-local objects; the others run them after the last request. ready runs on the main thread before the
 *     first request, again and again until it says yes. Apps that were built for ABI 1.2 or later are asked on, about every
 *     health.ready_interval, as one more call on the threads of handle; never twice at a time. host->log may be called on any thread at any
 *     time, the functions that take a serval_exchange only on the thread that runs handle for it, before handle returns, those for metrics
 *     as they say; the others are pure and may be called anywhere.
 *  7. Errors. A function that can fail returns 0 for success, and something else after it has called host->explain with one sentence for
 *     the log; without it the log says only that it failed. What a request fails with goes through host->fail.
 *  8. Nothing crosses but return values: no C++ exception, Rust panic, longjmp or pthread_exit leaves a function that the other side called.
 *  9. Truth values are int32_t: 0 is no, all else is yes. Enumerators travel as int32_t. Times are nanoseconds of CLOCK_MONOTONIC.
 * 10. serval never calls dlclose.
 *
 * How what is planned fits in without a break (names in this list are reserved, and no member exists before it works)
 *
 *  - Deferred answers: handle returns SERVAL_DEFERRED. The exchange and the request's views then outlive handle, until respond or fail is
 *    called for them on any thread. Until then serval takes that value for a failure.
 *  - Streamed response bodies: serval_host grows by functions that send a head, then pieces of the body, and report back-pressure.
 *  - Streamed request bodies: a bit in serval_app.features asks for requests before their body is there; serval_host grows by a read function.
 *  - Files: serval_response grows by a descriptor with offset and length, sent with sendfile(2).
 *  - WebSocket: serval_host grows by accept, send and close, serval_app by what is called for each message; SERVAL_UPGRADED comes from handle.
 */
#ifndef SERVAL_SERVAL_H_
#define SERVAL_SERVAL_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SERVAL_ABI_MAJOR 1u
#define SERVAL_ABI_MINOR 4u

/* True if the filler of *table knows `member` (convention 1). */
#define SERVAL_HAS(table, member) \
  ((size_t)((const char*)&(table)->member - (const char*)(table)) + sizeof((table)->member) <= (table)->size)

#define SERVAL_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct serval_text {
  const char* data;
  size_t size;
} serval_text;

/* A header field. */
typedef struct serval_field {
  serval_text name;
  serval_text value;
} serval_field;

/* One request on its way to an answer. serval's own. */
typedef struct serval_exchange serval_exchange;

/* Where a failing function leaves its reason. serval's own; valid during the call it is passed to. */
typedef struct serval_error serval_error;

enum serval_log_level { SERVAL_LOG_DEBUG = 0, SERVAL_LOG_INFO = 1, SERVAL_LOG_WARNING = 2, SERVAL_LOG_ERROR = 3 };

/* What handle returns. */
enum serval_handled {
  SERVAL_ANSWERED = 0, /* respond or fail has been called */
  SERVAL_DEFERRED = 1, /* reserved, see above */
  SERVAL_UPGRADED = 2  /* reserved, see above */
};

typedef struct serval_request {
  uint32_t size;
  uint16_t http_major;
  uint16_t http_minor;
  serval_text method;
  serval_text target;     /* as sent */
  serval_text path;       /* the target up to '?', still percent-encoded; host->percent_decode decodes it */
  serval_text query;      /* after '?', still percent-encoded; host->query_value reads it */
  serval_text host;       /* the Host field, or the authority of an absolute target; empty for some HTTP/1.0 clients */
  serval_text scheme;     /* "http" or "https" */
  serval_text peer;       /* the client's address without its port: "127.0.0.1", "::1", or "unix" */
  serval_text request_id; /* the one in serval's log lines about this request */
  const serval_field* headers; /* in the order received, repeated ones kept; host->header looks one up */
  size_t header_count;
  serval_text body;     /* whole and decoded; a large one is a file mapped into memory */
  int32_t body_fd;      /* that file (serval closes it), else -1. Its offset is anywhere and may be moved: read it with pread(2), or rewind first */
  uint32_t peer_port;   /* 0 for unix sockets */
  uint64_t deadline_ns; /* when serval will give this request up; 0: never */

  /* Since 1.2. What calls to other services take along as their traceparent field (W3C Trace Context), so that they become part of this
     request's trace; empty: serval traces nothing (OTEL_EXPORTER_OTLP_ENDPOINT is not set), pass on the field that came. */
  serval_text traceparent;
} serval_request;

typedef struct serval_response {
  uint32_t size;
  int32_t status;              /* 200 to 599 */
  const serval_field* headers; /* sent in this order. serval adds Date, Content-Length and Connection itself,
                                  and drops Connection, Keep-Alive, Upgrade and other hop-by-hop ones of yours */
  size_t header_count;
  serval_text body;
  void (*release)(void* context); /* null: serval copies the body before respond returns; else convention 4 */
  void* release_context;
} serval_response;

/* Since 1.3. */
enum serval_metric_kind {
  SERVAL_COUNTER = 1,  /* only grows, over all workers that ever were: their deaths, reloads and upgrades take nothing away */
  SERVAL_GAUGE = 2,    /* goes up and down; shown is the sum over the workers that live, so each says its own share */
  SERVAL_HISTOGRAM = 3 /* how many values were at most so large, and their sum; goes on as a counter does */
};

/* Since 1.3. A metric of the app's own, shown in /metrics. */
typedef struct serval_metric {
  uint32_t size;
  int32_t kind;     /* an enum serval_metric_kind */
  serval_text name; /* [a-zA-Z_][a-zA-Z0-9_]*, at most 120 bytes, with its unit at the end by custom (_seconds, _bytes); not serval_...
                       A counter's is shown with _total at the end, whether it is here or not. Only one metric of an app has it */
  serval_text help; /* at most 500 bytes */
  const serval_text* labels; /* the names of at most 4; [a-zA-Z_][a-zA-Z0-9_]*, none twice, neither le nor __... */
  size_t label_count;
  size_t max_rows; /* how many combinations of label values are told apart, at most 1000; 0: 64, or without labels always 0.
                      All others count in one row whose values are "other", and the log says so once */
  const double* bounds; /* of a histogram, 1 to 30, ascending: upper ones, inclusive; that of all that is larger is there by itself */
  size_t bound_count;
} serval_metric;

/* Since 1.4. One run of a task. serval's own. */
typedef struct serval_job serval_job;

/* Since 1.4. A task: a function of the app that runs in a process of its own, forked from the mold as workers are. A [programs.X] table has
   it run and supervised (run = "task:NAME"), and `serval task NAME` runs it once. worker_start, handle and worker_stop are not called in its
   process; what preload made is there, and metrics count nothing. */
typedef struct serval_task {
  uint32_t size;
  serval_text name; /* 1 to 64 letters, digits, '_', '-', '.' and ':'. Only one task of an app has it */
  /* On the main thread of its process, which ends when this returns, with the exit code that it returns (0 to 255; another number is 255).
     Not 0: it has failed, and `error` takes the reason, for the log. */
  int32_t (*run)(void* context, serval_job* job, serval_error* error);
  void* context; /* given to run */
} serval_task;

/* What preload is told. */
typedef struct serval_preload {
  uint32_t size;
  uint32_t generation; /* 1 for the first load, one more for each reload */
  serval_text name;    /* [server] name */
  const serval_text* args; /* [app] args */
  size_t arg_count;
} serval_preload;

/* What worker_start is told. */
typedef struct serval_worker {
  uint32_t size;
  uint32_t generation;
  uint32_t slot;    /* 0 to count - 1; a successor has that of the worker it replaces, which may still finish its requests */
  uint32_t threads; /* how many calls of handle may run at once; one thread more than that takes turns at it */
  serval_text name;
} serval_worker;

/* What serval offers. No member is null. */
typedef struct serval_host {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t features; /* 0 */
  serval_text version; /* of serval, e.g. "0.1.0" */

  /* A line in serval's log; control bytes are escaped. `level` is an enum serval_log_level. On a thread that is in handle the line has
     the request's request_id; standard output and standard error come through a pipe, which does not tell the thread. */
  void (*log)(int32_t level, serval_text text);
  /* Says why the function that was given `error` is about to return failure. The last call counts. */
  void (*explain)(serval_error* error, serval_text why);

  /* Answers. A second answer is ignored with a warning in the log. A response that cannot be sent (status, null pointers, bytes in a
     header that would break the message) becomes a 500 and a line in the log. */
  void (*respond)(serval_exchange* exchange, const serval_response* response);
  /* The app failed: the client gets 500, and the log `why`. */
  void (*fail)(serval_exchange* exchange, serval_text why);

  /* Value of the `nth` field (from 0) called `name`, in any case of letters; absent: null pointer. */
  serval_text (*header)(const serval_request* request, serval_text name, size_t nth);
  /* Decoded value of the `nth` parameter (from 0) called `name` in the query, '+' being a space. Writes at most `capacity` bytes and
     returns the whole length, or -1 if there is no such parameter. */
  int64_t (*query_value)(const serval_request* request, serval_text name, size_t nth, char* buffer, size_t capacity);
  /* Decodes %XX; malformed escapes stay as they are. Writes at most `capacity` bytes and returns the whole length. */
  int64_t (*percent_decode)(serval_text text, char* buffer, size_t capacity);

  /* Since 1.1. Like respond, only on the thread that runs handle, before it returns. */

  /* When serval will give this request up, as extended so far; 0: never. */
  uint64_t (*deadline)(serval_exchange* exchange);
  /* Moves the deadline to `nanoseconds` from now, never to an earlier time. No (0), if it is too late: the request has been given up. */
  int32_t (*extend)(serval_exchange* exchange, uint64_t nanoseconds);
  /* Has the request been given up: is the deadline over, or the worker at its end? The client has an answer or is gone by then, nobody
     waits for this one: clean up and return. A worker whose handlers do not return is ended by force. */
  int32_t (*cancelled)(serval_exchange* exchange);

  /* Since 1.3. The app's own metrics. What workers count lies in memory that serval has, too, so it is shown also while a worker hangs, and
     is not lost when one is killed. */

  /* Declares one: in preload only, on its thread, for all workers that come of it. Returns its number, which is not 0. 0: it is refused, and
     `why`, a buffer of `capacity` bytes (null: not wanted), has one sentence with its name, NUL-terminated: hand it to explain and return
     failure. A generation that declares what an earlier one has declared with the same name, kind, labels and bounds goes on with its
     figures; else they begin anew and the log says so. All metrics of an app have 16384 cells for each worker: 1 for each row of a
     counter or gauge, the number of bounds and 2 more for each of a histogram, rows being 1 and 5/4 of max_rows. */
  uint32_t (*metric)(const serval_metric* metric, char* why, size_t capacity);
  /* The row for these label values, in the order of the labels, each cut at 56 bytes; as many as the metric has labels, else it is row 0.
     From worker_start on, on any thread; the number is good for the rest of the worker's life. Row 0 is that of a metric without labels, or
     the one whose values are "other". Takes some tens of nanoseconds: keep the number where that matters. */
  uint32_t (*metric_row)(uint32_t metric, const serval_text* values, size_t count);
  /* From worker_start on, on any thread, a few nanoseconds each: no lock, no allocation, no system call. In preload they do nothing, as with
     a number, row or kind that is none. Whole numbers only: of times count nanoseconds, or use a histogram. */
  void (*metric_add)(uint32_t metric, uint32_t row, uint64_t by);
  /* Of a gauge: sets it, or moves it up or down. It is 0 when a worker begins. */
  void (*metric_set)(uint32_t metric, uint32_t row, double to);
  void (*metric_move)(uint32_t metric, uint32_t row, double by);
  /* Of a histogram; infinities and NaN do nothing. */
  void (*metric_observe)(uint32_t metric, uint32_t row, double value);

  /* Since 1.4. Tasks. */

  /* Registers one: in preload only, on its thread. Yes, or no (0): it is refused, and `why`, a buffer of `capacity` bytes (null: not
     wanted), has one sentence with its name, NUL-terminated. An app may have 256. */
  int32_t (*task)(const serval_task* task, char* why, size_t capacity);
  /* These are for the job that runs in this process, on any thread, until run returns. */
  /* The nth argument (from 0) of `serval task NAME ARGUMENT...`; none: null pointer. Under supervision there are none. */
  serval_text (*job_argument)(serval_job* job, size_t nth);
  /* Its number among the instances of its program (SERVAL_INSTANCE), 0 to count - 1; with `serval task` -1. */
  int32_t (*job_instance)(serval_job* job);
  /* It has been told to stop: end what is in hand and return. Its grace is that of its program. */
  int32_t (*job_stopping)(serval_job* job);
  /* A descriptor that becomes readable at that moment and stays so, for poll(2). serval's: neither read it nor close it. */
  int32_t (*job_stop_fd)(serval_job* job);
  /* It can do its work. Counts where the program's `ready` is "fd" or "notify", once. */
  void (*job_ready)(serval_job* job);
} serval_host;

/* What an app is. preload and handle are required; the others may be null. */
typedef struct serval_app {
  uint32_t size;
  uint32_t abi_major; /* SERVAL_ABI_MAJOR */
  uint32_t abi_minor; /* the least minor the app can do with; SERVAL_ABI_MINOR if in doubt */
  uint32_t features;  /* 0; bits that serval does not know make it refuse the app */

  /* Once per generation, in the mold. Sets *state, which every other function is given; its pages are shared by all workers as long as
     nobody writes to them. Failure refuses the generation. */
  int32_t (*preload)(const serval_preload* preload, void** state, serval_error* error);
  /* In a new worker, before its first request: connections, threads, random seeds. Failure ends this worker. */
  int32_t (*worker_start)(void* state, const serval_worker* worker, serval_error* error);
  /* Answers one request with host->respond or host->fail, and returns an enum serval_handled. */
  int32_t (*handle)(void* state, const serval_request* request, serval_exchange* exchange);
  /* May this worker be given requests? Asked some 50 times a second after worker_start, until the first yes; from then on about every
     health.ready_interval (abi_minor 2 and later). A worker that says no then gets no new connections while others say yes, and counts as
     not ready. It should return soon: it takes one of the threads. Null: yes. */
  int32_t (*ready)(void* state);
  /* In a worker, after its last request. A worker that is killed does not come here. */
  void (*worker_stop)(void* state);
  /* In the process that ran preload, when it ends in good order. Never in a worker: it leaves without touching the shared pages. */
  void (*destroy)(void* state);
} serval_app;

/* The one symbol an app exports: keeps `host` and returns its table. Does nothing else; work belongs in preload. */
SERVAL_EXPORT const serval_app* serval_app_main(const serval_host* host);

/* A view of a NUL-terminated string. */
static inline serval_text serval_text_of(const char* string) {
  serval_text text;
  text.data = string;
  text.size = strlen(string);
  return text;
}

#ifdef __cplusplus
}
#endif

#endif /* SERVAL_SERVAL_H_ */
