#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "stack/capture.hpp"
#include "stack/collect.hpp"
#include "stack/enlisted.hpp"

namespace serval::stack {
namespace {

static_assert(std::is_trivially_copyable_v<Crash>);

/// A call through a null or wild pointer, and above it whence: the unwinder finds no way out of a place that is no
/// code, so it is shown the moment before the call.
[[gnu::noinline]] Frames collect_above_wild_jump(ucontext_t& context) {
  const mcontext_t before = context.uc_mcontext;
  Frames frames;
  append(frames, instruction_of(context));
  undo_call(context);
  const Frames above = collect(context);
  context.uc_mcontext = before;  // for the core dump
  frames.thread = above.thread;
  for (int i = 0; i < above.count; ++i) append(frames, above.address[static_cast<std::size_t>(i)] + (i == 0 ? 1 : 0));
  return frames;
}

/// How far the one crash that is reported has come. A second deadly signal on the same thread means that this step has
/// crashed too: a stack that is overwritten leads the unwinder astray, for one.
enum class Step { collecting, reporting, passing_on, ending };

std::atomic<CrashReport> crash_report;
std::atomic<pid_t> crash_process;  ///< a child that the app forks has our handlers, but is not ours to report
std::atomic<pid_t> crashed_thread;
Step crash_step = Step::collecting;  // this and what follows belongs to crashed_thread
Crash crash;
siginfo_t crash_info;
std::array<struct sigaction, kDeadly.size()> actions_before;  ///< the app's own, set before ours

/// A crash reporter of the app's, Python's faulthandler: as if ours were not there. Returns if there is none, or when
/// it does.
void pass_on(int number, siginfo_t* info, void* context) {
  const auto index = static_cast<std::size_t>(std::find(kDeadly.begin(), kDeadly.end(), number) - kDeadly.begin());
  if (index == kDeadly.size()) return;
  const struct sigaction& before = actions_before[index];
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(number, info, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) before.sa_handler(number);
}

/// With the same siginfo, so that a debugger sees in the core dump what happened.
[[noreturn]] void end_by(int number, siginfo_t info) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(number, &standard, nullptr);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), ::gettid(), number, &info);
  ::tgkill(::getpid(), ::gettid(), number);
  // PID 1 survives the default action of its own signals (pid_namespaces(7)); this is what a shell would say.
  ::_exit(128 + number);
}

Crash begin_crash(int number, const siginfo_t& info, const ucontext_t& context) {
  Crash begun;
  begun.signal = number;
  const bool has_sender = info.si_code == SI_USER || info.si_code == SI_TKILL || info.si_code == SI_QUEUE;
  if (has_sender && info.si_pid != ::getpid()) begun.sender = info.si_pid;
  // Only the kernel's own codes are positive.
  if (info.si_code > 0) begun.fault_address = reinterpret_cast<std::uint64_t>(info.si_addr);
  begun.frames.thread = ::gettid();
  append(begun.frames, instruction_of(context));
  return begun;
}

void on_deadly_signal(int number, siginfo_t* info, void* context_pointer) {
  ucontext_t& context = *static_cast<ucontext_t*>(context_pointer);
  if (::getpid() != crash_process.load()) {
    if (crash_step == Step::collecting) {
      crash_step = Step::passing_on;
      pass_on(number, info, context_pointer);
    }
    end_by(number, *info);
  }
  const pid_t thread = ::gettid();
  pid_t first = 0;
  if (crashed_thread.compare_exchange_strong(first, thread)) {
    crash_info = *info;
    crash = begin_crash(number, *info, context);
    const bool wild_jump =
        (number == SIGSEGV || number == SIGBUS) && info->si_code > 0 && crash.fault_address == instruction_of(context);
    crash.frames = wild_jump ? collect_above_wild_jump(context) : collect(context);
  } else if (first != thread) {
    for (;;) ::pause();  // the process is about to end
  }
  if (crash_step == Step::collecting) {
    crash_step = Step::reporting;
    crash_report.load()(crash);
  }
  if (crash_step == Step::reporting) {
    crash_step = Step::passing_on;
    pass_on(number, info, context_pointer);
  }
  crash_step = Step::ending;
  end_by(crash.signal, crash_info);
}

}  // namespace

void on_crash(CrashReport report) {
  crash_report.store(report);
  crash_process.store(::getpid());
  struct sigaction action {};
  action.sa_sigaction = on_deadly_signal;
  // A crash within the handler must reach it again, to be reported with what is known; other signals have to wait.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigfillset(&action.sa_mask);
  for (const int number : kDeadly) ::sigdelset(&action.sa_mask, number);
  for (std::size_t i = 0; i < kDeadly.size(); ++i) ::sigaction(kDeadly[i], &action, &actions_before[i]);
}

}  // namespace serval::stack
