"""Tasks: programs that are functions of the app's library, forked from its mold; and serval task."""

import os
import signal
import time
import unittest

import process_tree
from http_client import Client, wait_until
from programs import ProgramsTest
from serval_process import library


class TasksTest(ProgramsTest):
    def task(self, name, **options):
        return {"run": f"task:{name}", **options}

    def app(self, *args, config=None):
        return {**(config or {}), "app": {"args": list(args), "env": {"APP": "the app's"}}}

    def start_tasks(self, programs, *args, config=None, **options):
        return self.start_programs(programs, self.app(*args, config=config), app="tasks", **options)

    def configure(self, programs, *args, config=None):
        self.rewrite(programs, self.app(*args, config=config), app="tasks")


class Supervised(TasksTest):
    def test_run_beside_the_workers_with_what_was_preloaded(self):
        serval = self.start_tasks({"queue": self.task("loop", count=2, ready="fd")}, "version=one")
        pids = self.pids("queue")
        self.assertEqual(sorted(pids), [0, 1])
        made_by = serval.get("/").text.split()[2]
        self.assertEqual(int(made_by), serval.mold())
        for number in pids:
            serval.expect_log(rf"queue\[{number}\] pid={pids[number]}\b.*: loop {number} has what was made by {made_by}, version one")
            self.assertEqual(process_tree.parent(pids[number]), serval.pid)
            self.assertIn(f"queue[{number}] task:loop", process_tree.title(pids[number]))
        status = self.order("status")
        self.assertIn("queue (task:loop) up, 2 wanted", status)
        self.assertEqual(self.program("queue")["task"], "task:loop")
        self.assertEqual(serval.stop(), 0)
        self.assertRegex(serval.log(), r"loop 1 ends")
        self.assertRegex(serval.log(), r"program ended program=queue instance=0 .*how=\"exit code 0\"")

    def test_are_what_a_program_would_be(self):
        os.mkdir(self.path("there"))
        serval = self.start_tasks(
            {"teller": self.task("env", env={"OWN": "mine"}, working_directory=self.path("there"), umask="0027", nice=3,
                                 limits={"nofile": "77", "core": "0"}, listen=["127.0.0.1:0"])},
            env={"OUTER": "theirs", "LISTEN_FDS": "7"})
        serval.expect_log("open ")
        pid = self.pids("teller")[0]
        for text in ("SERVAL_PROGRAM=teller", "SERVAL_INSTANCE=0", "OWN=mine", "APP=the app's", "OUTER=theirs", "LISTEN_FDS=1",
                     f"LISTEN_PID={pid}", "exec pid ours"):
            serval.expect_log(rf"teller\[0\] pid={pid} .*: {text}$")
        self.assert_has_traits(pid, self.path("there"))
        self.assertRegex(os.readlink(f"/proc/{pid}/fd/3"), "socket:")

    def test_nothing_of_the_mold_is_open_in_them(self):
        serval = self.start_tasks({"queue": self.task("loop", ready="fd")})
        serval.expect_log("loop 0 has")
        targets = process_tree.fd_targets(self.pids("queue")[0])
        # Standard input, output and error, the log's copy of the latter, its readiness, and the event behind stop_fd().
        self.assertEqual(len(targets), 6, targets)
        self.assertEqual(sum("eventfd" in target for target in targets), 1, targets)
        self.assertFalse([target for target in targets if "memfd" in target or "socket" in target], targets)

    def test_start_again_after_a_crash(self):
        serval = self.start_tasks({"queue": self.task("loop", ready="fd")})
        before = self.pids("queue")[0]
        mold = serval.mold()
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: self.pids("queue").get(0) not in (None, before), "its successor")
        serval.expect_log(r"program ended program=queue .*how=SIGKILL cause=crash")
        self.assertEqual(serval.mold(), mold, "another mold was needed")
        self.assertEqual(self.program("queue")["restarts"], {"crash": 1})

    def test_the_death_of_the_mold_does_not_touch_them(self):
        serval = self.start_tasks({"queue": self.task("loop", ready="fd")})
        before = self.pids("queue")[0]
        os.kill(serval.mold(), signal.SIGKILL)
        serval.expect_log("app loaded", count=2)
        self.assertEqual(self.pids("queue")[0], before)
        os.kill(before, signal.SIGKILL)
        serval.expect_log("loop 0 has", count=2)

    def test_an_exception_is_logged_and_is_exit_code_1(self):
        serval = self.launch_programs({"bad": self.task("throws", restart="never", ready="fd")}, self.app(), app="tasks")
        serval.expect_log(r"error bad\[0\] pid=\d+ .*: task failed task=throws exit_code=1 why=\"std::runtime_error: no such queue\"")
        serval.expect_log(r"program ended program=bad .*how=\"exit code 1\"")

    def test_log_lines_have_their_level(self):
        serval = self.start_tasks({"queue": self.task("logs")})
        serval.expect_log(r"warning queue\[0\] pid=\d+ .*: said by the task")

    def test_grace_is_their_own_and_apart_from_that_of_the_workers(self):
        serval = self.start_tasks(
            {"late": self.task("late", ready="fd", grace="20s"), "deaf": self.task("deaf", grace="300ms")},
            config={"shutdown": {"grace": "200ms"}})
        serval.expect_log("deaf$")
        begun = time.monotonic()
        self.assertEqual(serval.stop(), 0)
        self.assertGreater(time.monotonic() - begun, 1.4)
        log = serval.log()
        self.assertRegex(log, r"late has finished its job")
        self.assertRegex(log, r"program ended program=late .*how=\"exit code 0\"")
        self.assertRegex(log, r"program does not end in time program=deaf .*grace_ms=300")
        self.assertRegex(log, r"program ended program=deaf .*how=SIGKILL")
        self.assertLess(log.index("program=deaf instance=0 program_pid"), log.index("late has finished its job"))

    def test_a_second_signal_does_nothing(self):
        serval = self.start_tasks({"late": self.task("late", ready="fd")})
        pid = self.pids("late")[0]
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGTERM)
        serval.expect_log("late has finished its job")
        serval.expect_log(r"program ended program=late .*how=\"exit code 0\"")

    def test_what_they_have_started_ends_with_them(self):
        serval = self.start_tasks({"mother": self.task("child", grace="500ms")})
        serval.expect_log("has a child")
        leader = self.pids("mother")[0]
        wait_until(lambda: any("sleep" in process_tree.title(pid) for pid in process_tree.descendants(leader)), "its child")
        children = process_tree.descendants(leader)
        self.order("stop", "mother")
        self.gone(leader, *children)

    def test_commands_work_as_for_other_programs(self):
        self.start_tasks({"queue": self.task("loop", ready="fd")})
        before = self.pids("queue")
        self.order("recycle", "queue")
        self.assertNotEqual(self.pids("queue"), before)
        self.order("scale", "queue=3")
        self.assertEqual(sorted(self.pids("queue")), [0, 1, 2])
        self.order("stop", "queue")
        self.assertEqual(self.pids("queue"), {})
        self.order("start", "queue")
        self.assertEqual(sorted(self.pids("queue")), [0, 1, 2])

    def test_no_descriptor_is_left_after_many_of_them(self):
        serval = self.start_tasks({"queue": self.task("loop", ready="fd")})
        self.order("recycle", "queue")
        before = process_tree.fd_count(serval.pid), process_tree.fd_count(serval.mold())
        for _ in range(5):
            self.order("recycle", "queue")
        wait_until(lambda: (process_tree.fd_count(serval.pid), process_tree.fd_count(serval.mold())) == before, "as many open files as before")

    def test_a_killed_master_leaves_none(self):
        serval = self.start_tasks({"queue": self.task("deaf", count=2), "mother": self.task("child")})
        serval.expect_log("has a child")
        leader = self.pids("mother")[0]
        wait_until(lambda: any("sleep" in process_tree.title(pid) for pid in process_tree.descendants(leader)), "its child")
        pids = [*self.pids("queue").values(), leader, *process_tree.descendants(leader)]
        serval.signal(signal.SIGKILL)
        serval.wait()
        self.gone(*pids)

    def test_an_upgrade_leaves_them_alone(self):
        serval = self.start_tasks({"queue": self.task("logs")})
        before = self.pids("queue")
        self.order("upgrade")
        self.assertEqual(self.pids("queue"), before)
        os.kill(before[0], signal.SIGKILL)
        serval.expect_log(r"warning queue\[0\] .*: said by the task", count=2)
        self.order("recycle", "queue")
        self.assertEqual(serval.stop(), 0)


class Reloaded(TasksTest):
    def test_a_reload_replaces_them_by_the_new_code(self):
        programs = {"queue": self.task("loop", ready="fd", count=2), "other": {"command": self.puppet()}}
        serval = self.start_tasks(programs, "version=one")
        before, other = self.pids("queue"), self.pids("other")
        self.configure(programs, "version=two")
        self.order("reload")
        serval.expect_log("version two", count=2)
        wait_until(lambda: len(set(self.pids("queue").values()) - set(before.values())) == 2, "both to be new")
        self.gone(*before.values())
        self.assertEqual(self.pids("other"), other, "a program of its own was touched")
        self.assertEqual(self.program("queue")["restarts"], {"reload": 2})
        self.assertIn("two", serval.get("/").text)

    def test_a_rollback_does_likewise(self):
        config = {"reload": {"keep": "1h"}}
        programs = {"queue": self.task("loop", ready="fd")}
        serval = self.start_tasks(programs, "version=one", config=config)
        self.configure(programs, "version=two", config=config)
        self.order("reload")
        serval.expect_log("version two")
        wait_until(lambda: self.program("queue")["up"] and not self.program("queue")["instances"][0]["outdated"], "the new one")
        self.order("rollback")
        serval.expect_log(r"version one", count=2)

    def test_a_reload_whose_library_lacks_one_fails(self):
        programs = {"queue": self.task("loop", ready="fd")}
        serval = self.start_tasks(programs, "version=one")
        before = self.pids("queue")
        self.configure(programs, "version=two", "lacks=loop")
        said = self.order("reload", code=1)
        self.assertIn("programs.queue.run: the library registers no task \"loop\"; it has: late, deaf, ", said)
        self.assertEqual(self.pids("queue"), before)
        self.assertIn("one", serval.get("/").text)
        os.kill(before[0], signal.SIGKILL)
        serval.expect_log("version one", count=2)

    def test_one_that_comes_and_one_that_goes(self):
        serval = self.start_tasks({"queue": self.task("loop", ready="fd")})
        gone = self.pids("queue")[0]
        self.configure({"new": self.task("also", restart="never")}, "also=also", "lacks=loop")
        self.order("reload")
        serval.expect_log(r"program ended program=new .*how=\"exit code 0\".*next=\"it is done\"")
        self.gone(gone)
        self.assertEqual([program["name"] for program in self.status()["programs"]], ["new"])

    def test_one_that_is_done_is_not_done_again_by_a_reload(self):
        programs = {"migrate": self.task("once", restart="never")}
        serval = self.start_tasks(programs, "version=one")
        self.configure(programs, "version=two")
        self.order("reload")
        self.assertIn("two", serval.get("/").text)
        self.assertEqual(serval.log().count("once 0 generation"), 1)


class Refused(TasksTest):
    def test_a_start_without_the_task_fails(self):
        serval = self.launch_programs({"queue": self.task("loup")}, self.app(), app="tasks")
        self.assertEqual(serval.wait(), 1)
        self.assertRegex(serval.log(), r"the app lacks a task gen=1 why=\"programs.queue.run: the library registers no task .*loup.*it has: loop, late")

    def test_check_says_it(self):
        file = self.write("serval.toml", self.tables({"queue": self.task("loup")}, self.app(), app="tasks"))
        code, _, err = self.run_command("check", "-c", file)
        self.assertEqual(code, 78)
        self.assertIn("programs.queue.run: the library registers no task \"loup\"; it has: loop, late", err)
        file = self.write("serval.toml", self.tables({"queue": self.task("loop")}, self.app(), app="tasks"))
        self.assertEqual(self.run_command("check", "-c", file)[0], 0)

    def test_a_name_that_the_app_has_twice_refuses_the_generation(self):
        serval = self.launch_programs({}, self.app("also=loop"), app="tasks")
        self.assertEqual(serval.wait(), 1)
        self.assertIn('task \\"loop\\" cannot be registered: the app has one of that name already', serval.log())

    def test_what_a_task_cannot_be(self):
        for program, config, said in (
            ({"run": "task:loop", "command": ["true"]}, {}, "there is a command as well"),
            ({"run": "loop"}, {}, "expected task:NAME"),
            ({"run": "task:no name"}, {}, "expected task:NAME, where NAME is 1 to 64 letters"),
            ({"run": "task:loop", "user": "somebody"}, {}, "a task runs as the app does"),
        ):
            file = self.write("bad.toml", self.tables({"queue": program}, config, app="tasks"))
            code, _, err = self.run_command("check", "-c", file)
            self.assertEqual(code, 78, err)
            self.assertIn(said, err)
        file = self.write("bad.toml", self.tables({"queue": self.task("loop")}))
        self.assertIn("there is no app whose task it could be", self.run_command("check", "-c", file)[2])


class Once(TasksTest):
    def once(self, *words, config=None, **options):
        file = self.write("serval.toml", self.tables({"mailer": {"command": ["true"]}}, self.app("version=one", config=config), app="tasks"))
        command = self.launch("task", "-c", file, *words, **options)
        return command.wait(), "\n".join(command.access()), command.log()

    def test_runs_with_its_arguments_and_exits_as_it_does(self):
        code, out, err = self.once("once", "7", "--json", "", "-c")
        self.assertEqual((code, out.split("\n"), err), (7, ["once -1 generation 1", "[7]", "[--json]", "[]", "[-c]", f"APP=the app's in {self.folder}"], ""))
        self.assertEqual(self.once("once")[0], 0)

    def test_says_what_is_wrong(self):
        code, _, err = self.once("onze")
        self.assertEqual(code, 127)
        self.assertIn("serval task: the library registers no task \"onze\"; it has: loop, late", err)
        self.assertEqual(self.once("no name")[0], 64)
        self.assertEqual(self.once()[0], 64)
        code, _, err = self.once("throws")
        self.assertEqual(code, 1)
        self.assertIn("std::runtime_error: no such queue", err)
        file = self.write("broken.toml", self.tables({}, {"app": {"library": "/not/there.so"}, "server": {"bind": ["127.0.0.1:0"]}}))
        code, _, err = self.run_command("task", "-c", file, "once")
        self.assertEqual(code, 127)
        self.assertIn("cannot load app /not/there.so", err)
        file = self.write("none.toml", self.tables({"mailer": {"command": ["true"]}}))
        self.assertEqual(self.run_command("task", "-c", file, "once")[0], 64)

    def test_is_told_to_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            file = self.write("serval.toml", self.tables({}, self.app(), app="tasks"))
            command = self.launch("task", "-c", file, "waits")
            wait_until(lambda: command.access() == ["waits"], "it to run")
            # As a terminal sends it to both.
            for pid in [command.pid, *process_tree.descendants(command.pid)] if number == signal.SIGINT else [command.pid]:
                os.kill(pid, number)
            self.assertEqual(command.wait(), 9)

    def test_beside_a_running_server(self):
        serval = self.start_tasks({"queue": self.task("loop", ready="fd")})
        before = self.pids("queue"), serval.workers()
        self.assertEqual(self.once("once")[0], 0)
        self.assertEqual((self.pids("queue"), serval.workers()), before)


class Example(ProgramsTest):
    def test_orders_are_mailed_by_the_task(self):
        serval = self.start_programs({"mailer": {"run": "task:mailer", "ready": "fd"}}, {"app": {"args": [self.path("orders")]}}, app="outbox")
        with Client(serval.addresses[0]) as client:
            self.assertEqual(client.request("POST", "/", body=b"two lamps").status, 202)
        serval.expect_log(r"mailer\[0\] .*: mailed: two lamps")
        code, out, err = self.run_command("task", "-c", self.path("serval0.toml"), "pending", "3")
        self.assertEqual((code, out), (0, "0 orders"), err)


if __name__ == "__main__":
    unittest.main()
