/* An app of a far future. */
#include <serval/serval.h>

static int32_t preload(const serval_preload* told, void** state, serval_error* error) {
  (void)told, (void)state, (void)error;
  return 0;
}

static int32_t handle(void* state, const serval_request* request, serval_exchange* exchange) {
  (void)state, (void)request, (void)exchange;
  return SERVAL_ANSWERED;
}

const serval_app* serval_app_main(const serval_host* host) {
  static serval_app app = {0};
  (void)host;
  app.size = sizeof app;
  app.abi_major = 99;
  app.preload = preload;
  app.handle = handle;
  return &app;
}
