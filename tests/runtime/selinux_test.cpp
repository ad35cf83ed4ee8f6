#include "runtime/selinux.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedded_harness.h"

namespace podium::runtime {
namespace {

using ::testing::Contains;

std::string Checked(const std::string& level, bool machine_has_it) {
  cri::SELinuxOption options;
  options.level = level;
  const auto checked = CheckSelinux(&options, machine_has_it);
  return checked.ok() ? "" : checked.error().message();
}

TEST(SelinuxTest, LevelsAreContainerdsOwn) {
  for (const char* level : {"", "s0", "s0-s1", "s0:c1", "s0:c1023", "s0:c1,c2", "s0-s0:c0.c1023",
                            "s1:c1.c2,c5,c7.c9"}) {
    EXPECT_EQ(Checked(level, false), "") << level;
  }
  for (const char* level : {"x", "s", "s00", "s0-", "s0-1", "s0:", "s0:c", "s0:c12345", "s0:c1,",
                            "s0:c1.", "s0:c1.c2.c3", "s0:c1 ", " s0", "s0,c1", "c1"}) {
    EXPECT_EQ(Checked(level, false),
              "the format of 'level' \"" + std::string(level) + "\" is not correct");
  }
}

// A label that is asked for and not given would be no protection and look like one.
TEST(SelinuxTest, WhereThereIsSelinuxALabelIsRefused) {
  EXPECT_TRUE(CheckSelinux(nullptr, true).ok());
  EXPECT_TRUE(CheckSelinux(nullptr, false).ok());
  const cri::SELinuxOption empty;
  EXPECT_TRUE(CheckSelinux(&empty, true).ok());
  cri::SELinuxOption type;
  type.type = "container_t";
  EXPECT_TRUE(CheckSelinux(&type, false).ok());
  const auto refused = CheckSelinux(&type, true);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::kUnsupported);
}

using SelinuxRuntimeTest = EmbeddedTest;

TEST_F(SelinuxRuntimeTest, OptionsOfSandboxesAndContainers) {
  if (MachineHasSelinux()) GTEST_SKIP() << "for machines without SELinux";
  cri::PodSandboxConfig wrong = TestPod("wrong");
  wrong.linux_.ensure().security_context.ensure().selinux_options.ensure().level = "high";
  const auto refused = runtime().RunPodSandbox(wrong, "");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "the format of 'level' \"high\" is not correct");

  const std::string pod = RunPod(TestPod("pod"));
  cri::ContainerConfig config = Shell("c", "true");
  auto& options = config.linux_.ensure().security_context.ensure().selinux_options.ensure();
  options.level = "high";
  EXPECT_EQ(runtime().CreateContainer(pod, config, {}).error().message(),
            "the format of 'level' \"high\" is not correct");
  EXPECT_THAT(runtime().TakeWarnings(), ::testing::Not(Contains(std::string(kNoSelinux))));
  options.level = "s0:c1,c2";
  const auto made = runtime().CreateContainer(pod, config, {});
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_THAT(runtime().TakeWarnings(), Contains(std::string(kNoSelinux)));
}

}  // namespace
}  // namespace podium::runtime
