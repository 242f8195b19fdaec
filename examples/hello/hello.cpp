#include <serval/serval.hpp>

class Hello : public serval::App {
 public:
  serval::Response handle(const serval::Request&) override { return "Hello, World!\n"; }
};
SERVAL_APP(Hello)
