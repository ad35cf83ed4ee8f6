#include "cri/cgroup_parent.h"

#include <gtest/gtest.h>

namespace podium::cri {
namespace {

TEST(CgroupPathOf, TakesPathsAsTheyAre) {
  EXPECT_EQ(*CgroupPathOf(""), "");
  EXPECT_EQ(*CgroupPathOf("/"), "");
  EXPECT_EQ(*CgroupPathOf("/kubepods/burstable/pod1"), "kubepods/burstable/pod1");
  EXPECT_EQ(*CgroupPathOf("kubepods//burstable/"), "kubepods/burstable");
  EXPECT_EQ(*CgroupPathOf("/kubepods.slice/kubepods-pod1.slice"),
            "kubepods.slice/kubepods-pod1.slice");
}

TEST(CgroupPathOf, FindsASliceByItsName) {
  EXPECT_EQ(*CgroupPathOf("system.slice"), "system.slice");
  EXPECT_EQ(*CgroupPathOf("kubepods-burstable-pod1_2.slice"),
            "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice");
  EXPECT_EQ(*CgroupPathOf("-.slice"), "");
}

TEST(CgroupPathOf, RefusesWhatIsNone) {
  for (const char* parent :
       {"/a/../b", "..", "a/.", "a--b.slice", "-a.slice", "a-.slice", ".slice"}) {
    EXPECT_EQ(CgroupPathOf(parent).error().code(), Code::kInvalidArgument) << parent;
  }
}

}  // namespace
}  // namespace podium::cri
