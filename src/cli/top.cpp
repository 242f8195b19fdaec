#include <curses.h>

#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/ask_server.hpp"
#include "cli/bodies.hpp"
#include "cli/usage.hpp"
#include "control/shown.hpp"
#include "control/stacks_text.hpp"
#include "top/screen.hpp"
#include "top/text.hpp"

namespace serval::cli {
namespace {

using namespace std::chrono_literals;

/// Between two looks.
constexpr Duration kInterval = 1s;
/// For the server's answer to a look: one that takes longer is as good as none.
constexpr Duration kPatience = 3s;
constexpr Duration kCommandPatience = 2min;

/// A style's colour, and what stands for it on a terminal without any (or with NO_COLOR, https://no-color.org).
struct Looks {
  short colour;  ///< -1: the terminal's own
  attr_t with_colour, without;
};
constexpr Looks kLooks[] = {
    {-1, A_NORMAL, A_NORMAL},                   // plain
    {-1, A_BOLD, A_BOLD},                       // strong
    {-1, A_DIM, A_NORMAL},                      // soft
    {COLOR_GREEN, A_BOLD, A_BOLD},              // good
    {COLOR_YELLOW, A_BOLD, A_UNDERLINE},        // warning
    {COLOR_RED, A_BOLD, A_BOLD | A_UNDERLINE},  // bad
    {-1, A_REVERSE, A_REVERSE},                 // selected
};

/// The terminal, as long as it shows the screen: it is as it was afterwards.
class Terminal {
 public:
  Terminal() : screen_(::newterm(nullptr, stdout, stdin)) {
    if (screen_ == nullptr) return;
    // Control-C is a way to quit, as in top(1). ncurses has a handler that does the same and says that it failed.
    std::signal(SIGINT, [](int) {
      ::endwin();
      ::_exit(exit_code::ok);
    });
    ::cbreak();
    ::noecho();
    ::keypad(stdscr, TRUE);
    ::curs_set(0);
    ::set_escdelay(50);
    colours_ = ::has_colors() && std::getenv("NO_COLOR") == nullptr;
    if (!colours_) return;
    ::start_color();
    ::use_default_colors();
    for (short i = 0; i < static_cast<short>(std::size(kLooks)); ++i)
      ::init_pair(static_cast<short>(i + 1), kLooks[i].colour, -1);
  }
  ~Terminal() {
    if (screen_ == nullptr) return;
    ::endwin();
    ::delscreen(screen_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool works() const { return screen_ != nullptr; }
  top::Size size() const { return {COLS, LINES}; }

  void show(const std::vector<top::Line>& lines) {
    ::erase();
    for (int y = 0; y < std::min(static_cast<int>(lines.size()), LINES); ++y) {
      ::move(y, 0);
      for (const top::Piece& piece : lines[static_cast<std::size_t>(y)]) {
        const auto style = static_cast<std::size_t>(piece.style);
        const Looks& looks = kLooks[style];
        ::attrset(colours_ ? looks.with_colour | static_cast<attr_t>(COLOR_PAIR(static_cast<int>(style) + 1))
                           : looks.without);
        ::addstr(piece.text.c_str());
      }
    }
    ::attrset(A_NORMAL);
    ::refresh();
  }

  /// The next key; none within that time.
  std::optional<int> key(Duration patience) {
    ::timeout(static_cast<int>(std::max<std::int64_t>(patience.count(), 0)));
    const int key = ::getch();
    return key == ERR ? std::nullopt : std::optional(key);
  }

 private:
  SCREEN* const screen_;
  bool colours_ = false;
};

class Top {
 public:
  Top(const Invocation& invocation, Terminal& terminal) : invocation_(invocation), terminal_(terminal) {}

  /// Until the user has enough; 69 when there is no server any more.
  int run() {
    for (;;) {
      look();
      for (TimePoint due = Clock::now() + kInterval; Clock::now() < due;) {
        draw();
        const auto key = terminal_.key(in_milliseconds(due - Clock::now()) + 1ms);
        if (!key) break;
        if (*key == 'q') return exit_code::ok;
        if (*key == ' ') break;
        on_key(*key);
      }
    }
  }

 private:
  void look() {
    const Asked asked = try_server(invocation_, {.command = "status", .arguments = {}}, kPatience);
    if (asked.code != exit_code::ok) {
      chosen_.message = "no answer: " + asked.why;
      lost_ = true;
      return;
    }
    if (std::exchange(lost_, false)) chosen_.message.clear();
    before_ = std::move(now_);
    now_ = std::make_unique<top::Look>(top::Look{asked.result, Clock::now()});
  }

  void draw() {
    if (now_ == nullptr) return terminal_.show({{{chosen_.message, top::Style::bad}}, {}, {{"q quit"}}});
    const top::Screen screen = top::make_screen(*now_, before_.get(), chosen_, terminal_.size());
    chosen_.selected = std::clamp(chosen_.selected, 0, std::max(screen.selectable - 1, 0));
    slot_ = screen.slot;
    terminal_.show(screen.lines);
  }

  void on_key(int key) {
    if (!lost_) chosen_.message.clear();
    switch (key) {
      case KEY_UP:
      case 'k': --chosen_.selected; return;
      case KEY_DOWN:
      case 'j': ++chosen_.selected; return;
      case 's': chosen_.sort = static_cast<top::Column>((static_cast<int>(chosen_.sort) + 1) % top::kColumns); return;
      case 'S': chosen_.descending = !chosen_.descending; return;
      case 't': chosen_.show_requests = !chosen_.show_requests; return;
      case '?':
      case 'h': return page(top::help_screen());
      case 'r': return recycle();
      case 'd': return drain();
      case 'x': return stacks();
      default: return;
    }
  }

  Asked order(const char* command, boost::json::object arguments) {
    terminal_.show({{{std::string("serval ") + command + " ...", top::Style::strong}}});
    return try_server(invocation_, {.command = command, .arguments = std::move(arguments)}, kCommandPatience);
  }

  /// The next key is meant for what is the case after this.
  void tell(const Asked& asked, const std::string& done) {
    look();
    chosen_.message = asked.code == exit_code::ok ? done : asked.why;
  }

  void recycle() {
    if (!slot_) return;
    tell(order("recycle", {{"slot", *slot_}}), "worker " + std::to_string(*slot_) + " is replaced");
  }

  void drain() {
    const bool drained = now_ != nullptr &&
                         control::text_at(now_->status, "unready").find("draining (serval drain)") != std::string::npos;
    const char* const command = drained ? "undrain" : "drain";
    tell(order(command, {}),
         drained ? "the server is not drained any more" : "the server is drained: it reports not ready, and serves on");
  }

  void stacks() {
    if (!slot_) return;
    const Asked asked = order("stacks", {{"slot", *slot_}});
    if (asked.code != exit_code::ok) return tell(asked, "");
    const std::string text = control::format_stacks(asked.result);  // the views are of it
    std::vector<top::Line> lines;
    for (const std::string_view line : split(text, '\n')) lines.push_back({{std::string(line)}});
    page(lines);
  }

  /// A text of any length, until another key than those for moving about in it.
  void page(const std::vector<top::Line>& lines) {
    std::size_t first = 0;
    for (;;) {
      const top::Size size = terminal_.size();
      const auto room = static_cast<std::size_t>(std::max(size.rows - 1, 1));
      const std::size_t last = lines.size() > room ? lines.size() - room : 0;
      first = std::min(first, last);
      std::vector<top::Line> shown(lines.begin() + static_cast<std::ptrdiff_t>(first),
                                   lines.begin() + static_cast<std::ptrdiff_t>(std::min(first + room, lines.size())));
      for (top::Line& line : shown) {
        for (top::Piece& piece : line)
          piece.text = top::cut(piece.text, static_cast<std::size_t>(std::max(size.columns, 1)));
      }
      shown.resize(room);
      shown.push_back(
          {{last > 0 ? "up and down move, any other key goes back" : "any key goes back", top::Style::soft}});
      terminal_.show(shown);
      const int key = terminal_.key(1h).value_or(KEY_RESIZE);
      if (key == KEY_RESIZE) continue;
      if (key == KEY_DOWN || key == 'j') {
        ++first;
      } else if (key == KEY_UP || key == 'k') {
        first -= first > 0 ? 1 : 0;
      } else if (key == KEY_NPAGE || key == ' ') {
        first += room;
      } else if (key == KEY_PPAGE) {
        first -= std::min(first, room);
      } else {
        return;
      }
    }
  }

  const Invocation& invocation_;
  Terminal& terminal_;
  std::unique_ptr<top::Look> now_;
  std::unique_ptr<top::Look> before_;
  top::Chosen chosen_;
  std::optional<int> slot_;
  bool lost_ = false;
};

}  // namespace

int top(const Invocation& invocation) {
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
    return usage_error("top", "it needs a terminal", "serval status shows the same once");
  // What is wrong with the command line or the server is said before the terminal is taken.
  if (const Asked asked = ask_server(invocation, {.command = "status", .arguments = {}}, kPatience);
      asked.code != exit_code::ok)
    return asked.code;
  std::setlocale(LC_ALL, "");
  Terminal terminal;
  if (!terminal.works())
    return usage_error("top", "this terminal is not known (TERM)", "TERM=xterm serval top, or serval status");
  return Top(invocation, terminal).run();
}

}  // namespace serval::cli
