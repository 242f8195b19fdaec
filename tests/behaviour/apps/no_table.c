/* An app that declines to say what it is. */
#include <serval/serval.h>

const serval_app* serval_app_main(const serval_host* host) {
  (void)host;
  return NULL;
}
