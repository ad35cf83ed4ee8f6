// A process that owns the runtime is killed at random moments while it makes and removes pods;
// another takes over. No pod may be lost that was acknowledged, none may be there twice, nothing
// may leak. Tens of times; two hundred with PODIUM_TEST_LONG=1.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "embedded_harness.h"
#include "support/long_form.h"

namespace podium::runtime {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

constexpr const char* kJournal = "/mnt/journal";

// What was acknowledged: "ready ID", "gone ID", one line a write, so that none is half there.
void Note(const std::string& line) {
  std::FILE* file = std::fopen(kJournal, "ae");
  std::fputs((line + "\n").c_str(), file);
  std::fclose(file);
}

// Never returns.
[[noreturn]] void MakePodsForEver(unsigned seed) {
  // Not destroyed: the process is killed.
  auto* machine = new Machine({.prepared = 2});
  std::mt19937 random(seed);
  std::vector<std::string> pods;
  for (int i = 0;; ++i) {
    if (pods.size() < 3 || random() % 2 == 0) {
      const auto pod = machine->runtime().RunPodSandbox(TestPod("p" + std::to_string(i)), "");
      if (!pod.ok()) _exit(3);
      Note("ready " + *pod);
      pods.push_back(*pod);
      cri::ContainerConfig config = Shell("c", random() % 2 == 0 ? "exit 3" : "exec sleep 1000");
      config.log_path = "";
      const auto container = machine->runtime().CreateContainer(*pod, config, {});
      if (!container.ok() || !machine->runtime().StartContainer(*container).ok()) _exit(4);
      Note("started " + *container);
    } else {
      const size_t at = random() % pods.size();
      Note("going " + pods[at]);
      const auto removed = machine->runtime().RemovePodSandbox(pods[at]);
      if (!removed.ok()) {
        Note("failed " + removed.error().message());
        _exit(5);
      }
      pods.erase(pods.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
}

TEST(CrashTest, AnotherProcessGoesOn) {
  if (const std::string problem = EnterTestWorld(); !problem.empty()) GTEST_SKIP() << problem;
  const int rounds = podium::testing::IsLongForm() ? 200 : 12;
  std::random_device device;
  const unsigned seed = device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    unlink(kJournal);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) MakePodsForEver(random());
    usleep(100'000 + random() % 600'000);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    // It did not end by itself, for something that failed.
    std::stringstream log;
    log << std::ifstream(kJournal).rdbuf();
    EXPECT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status) << '\n' << log.str();

    Machine machine({.prepared = 1});
    EXPECT_THAT(machine.first_recovery().problems, IsEmpty());
    std::set<std::string> ready;
    std::set<std::string> names;
    for (const auto& pod : *machine.runtime().ListPodSandbox({})) {
      EXPECT_TRUE(names.insert(pod.metadata->name).second) << "twice: " << pod.metadata->name;
      if (pod.state == cri::PodSandboxState::kSandboxReady) ready.insert(pod.id);
    }
    std::map<std::string, cri::ContainerStatus> containers;
    for (const auto& container : *machine.runtime().ListContainers({})) {
      containers[container.id] = *machine.runtime().ContainerStatus(container.id, false)->status;
    }
    std::ifstream journal(kJournal);
    std::set<std::string> acknowledged;
    std::set<std::string> started;
    std::string last;
    for (std::string line; std::getline(journal, line);) {
      std::istringstream words(line);
      std::string verb;
      std::string id;
      words >> verb >> id;
      if (verb == "ready") acknowledged.insert(last = id);
      if (verb == "going") acknowledged.erase(id);
      if (verb == "started") started.insert(id);
    }
    for (const std::string& id : acknowledged) EXPECT_TRUE(ready.contains(id)) << id << " is lost";
    for (const auto& [id, container] : containers) {
      if (container.state == cri::ContainerState::kContainerRunning) {
        const auto result = machine.runtime().ExecSync(id, {"/bin/true"}, seconds(20));
        EXPECT_TRUE(result.ok()) << result.error().message();
      } else if (started.contains(id) && container.exit_code != 137) {
        EXPECT_EQ(container.exit_code, 3) << container.reason;
      }
    }
    // The machine's end removes all that is there, and looks for what is left.
  }
}

}  // namespace
}  // namespace podium::runtime
