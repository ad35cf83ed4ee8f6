// Runs the cases of field_cases.h: each as it stands, and each without its field.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "node/pod_fields/field_cases.h"
#include "node/pod_fields/schema.h"
#include "reflect/copy.h"

namespace podium::node::pod_fields {
namespace {

template <class Case>
std::string NameOf(const ::testing::TestParamInfo<Case>& info) {
  return CaseName(info.param);
}

class PodFields : public ::testing::TestWithParam<FieldCase> {};

TEST_P(PodFields, Works) {
  const FieldCase& each = GetParam();
  if (NeedsRoot(each) && geteuid() != 0) GTEST_SKIP() << "needs root, to mount volumes";
  EXPECT_EQ(SeenOf(each, PodToRun(each)), each.expected);
}

// The test of the test above: whatever is lost on the way to the field is seen by it.
TEST_P(PodFields, FailsWithout) {
  const FieldCase& each = GetParam();
  if (NeedsRoot(each) && geteuid() != 0) GTEST_SKIP() << "needs root, to mount volumes";
  const v1::Pod pod = PodToRun(each);
  const std::vector<std::string> rows = RowsOnTheWay(pod, each.field);
  ASSERT_TRUE(std::ranges::find(rows, each.field) != rows.end())
      << "the pod does not set " << each.field;
  for (const std::string& row : rows) {
    EXPECT_NE(SeenOf(each, Without(pod, row)), each.expected) << "without " << row;
  }
}

INSTANTIATE_TEST_SUITE_P(, PodFields, ::testing::ValuesIn(AllCases()), NameOf<FieldCase>);

class RefusedPodFields : public ::testing::TestWithParam<RefusedCase> {};

// An error of the API, or an event: that, and only because of the field.
TEST_P(RefusedPodFields, AreTold) {
  const RefusedCase& each = GetParam();
  const v1::Pod pod = PodOf(each.spec);
  const auto tells = [&](const v1::Pod& of) {
    const auto told = ToldOf(of);
    return std::ranges::find(told, each.error) != told.end();
  };
  EXPECT_TRUE(tells(pod)) << ::testing::PrintToString(ToldOf(pod));
  // A hook of which nothing is left is as wrong as one that nobody runs.
  const bool hook = each.field.starts_with("LifecycleHandler.");
  const v1::Pod without = Without(pod, hook ? "Lifecycle.postStart" : each.field);
  EXPECT_FALSE(reflect::Equal(pod, without)) << "the pod does not set " << each.field;
  EXPECT_FALSE(tells(without));
}

INSTANTIATE_TEST_SUITE_P(, RefusedPodFields, ::testing::ValuesIn(RefusedCases()),
                         NameOf<RefusedCase>);

class UnmovedPodFields : public ::testing::TestWithParam<UnmovedCase> {};

// What others act on, or nobody yet, is said to change nothing here; when it does, the table says
// what.
TEST_P(UnmovedPodFields, ChangeNothing) {
  const UnmovedCase& each = GetParam();
  const v1::Pod pod = PodOf(each.spec);
  const v1::Pod without = Without(pod, each.field);
  EXPECT_FALSE(reflect::Equal(pod, without)) << "the pod does not set " << each.field;
  EXPECT_EQ(EverythingOf(pod), EverythingOf(without));
}

INSTANTIATE_TEST_SUITE_P(, UnmovedPodFields, ::testing::ValuesIn(UnmovedCases()),
                         NameOf<UnmovedCase>);

}  // namespace
}  // namespace podium::node::pod_fields
