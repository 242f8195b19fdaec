/* A whole app in C: greets whoever ?name= says. */
#include <serval/serval.h>
#include <stdio.h>

static const serval_host* host;

static int32_t preload(const serval_preload* preload, void** state, serval_error* error) {
  (void)preload, (void)state, (void)error; /* nothing to prepare */
  return 0;
}

static int32_t handle(void* state, const serval_request* request, serval_exchange* exchange) {
  char name[64] = "World";
  char greeting[128];
  const int64_t length = host->query_value(request, serval_text_of("name"), 0, name, sizeof name - 1);
  const serval_field type = {{"Content-Type", 12}, {"text/plain; charset=utf-8", 25}};
  serval_response response = {0};
  (void)state;

  if (length >= 0) name[(size_t)length < sizeof name ? (size_t)length : sizeof name - 1] = '\0';
  snprintf(greeting, sizeof greeting, "Hello, %s!\n", name);
  response.size = sizeof response;
  response.status = 200;
  response.headers = &type;
  response.header_count = 1;
  response.body = serval_text_of(greeting);
  host->respond(exchange, &response);
  return SERVAL_ANSWERED;
}

const serval_app* serval_app_main(const serval_host* offered) {
  static const serval_app app = {
      .size = sizeof(serval_app),
      .abi_major = SERVAL_ABI_MAJOR,
      .abi_minor = SERVAL_ABI_MINOR,
      .preload = preload,
      .handle = handle,
  };
  host = offered;
  return &app;
}
