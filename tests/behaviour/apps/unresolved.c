/* An app that lacks a function it needs: dlopen(RTLD_NOW) refuses it. */
#include <serval/serval.h>

void function_that_nobody_defines(void);

const serval_app* serval_app_main(const serval_host* host) {
  (void)host;
  function_that_nobody_defines();
  return NULL;
}
