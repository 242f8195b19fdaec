#include <serval/serval.hpp>

#include <atomic>

class Counter : public serval::App {
 public:
  explicit Counter(serval::Preload& preload) : name_(preload.name()) {}

  serval::Response handle(const serval::Request& request) override {
    if (request.path() != "/") return serval::Response(404, "Nothing here.\n");
    const std::string who = request.param("name").value_or("you");
    return "Hello " + who + ", " + name_ + " counts " + std::to_string(++count_) + "\n";
  }

 private:
  std::string name_;
  std::atomic<int> count_ = 0;
};
SERVAL_APP(Counter)
