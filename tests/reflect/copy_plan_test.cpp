// What plans of copying hold, when there is none, and that threads agree on them. That copies are
// equal: copy_test.cpp.
#include "reflect/copy_plan.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "reflect/copy.h"
#include "reflect/test_types.h"

namespace podium::reflect {
namespace {

using podium::reflect::testing::Everything;
using podium::reflect::testing::kStepsType;
using podium::reflect::testing::Port;
using podium::reflect::testing::Steps;

constexpr Facts kNoFacts;

Field At(size_t offset, Kind kind, Shape shape, const Type* type = nullptr,
         const void* ops = nullptr) {
  Field field{"\"x\":", type, ops, &kNoFacts, 0, 0, 1, kind, shape, 0};
  field.offset = static_cast<uint32_t>(offset) & 0xFFFFF;
  return field;
}

template <class T>
Type TypeWith(const std::vector<Field>& fields) {
  Type type = TypeOf<Port>();
  type.name = "Test";
  type.fields = fields;
  type.proto_rows = {};
  type.create = &CreateStruct<T>;
  type.destroy = &DestroyStruct<T>;
  type.size = sizeof(T);
  return type;
}

// Twelve bytes: the second word reaches out of it.
struct Numbers {
  int32_t a = 0;
  int32_t b = 0;
  int32_t c = 0;
};

struct Mixed {
  bool flag = false;
  int32_t small = 0;
  std::string text;
  std::optional<int32_t> maybe;
  Steps steps;
  std::optional<Steps> optional_steps;
  Numbers inside;
  int32_t last = 0;
  List<Numbers> list;
  std::optional<std::string> optional_text;
};

// Of types as the program has them: they are there until its end.
#pragma clang diagnostic ignored "-Winvalid-offsetof"
const Type& NumbersType() {
  static const std::vector<Field> kFields{
      At(offsetof(Numbers, a), Kind::kInt32, Shape::kScalar),
      At(offsetof(Numbers, b), Kind::kInt32, Shape::kScalar),
      At(offsetof(Numbers, c), Kind::kInt32, Shape::kScalar),
  };
  static const Type kType = TypeWith<Numbers>(kFields);
  return kType;
}

const Type& MixedType() {
  static const std::vector<Field> kFields{
      At(offsetof(Mixed, flag), Kind::kBool, Shape::kScalar),
      At(offsetof(Mixed, small), Kind::kInt32, Shape::kScalar),
      At(offsetof(Mixed, text), Kind::kString, Shape::kScalar),
      At(offsetof(Mixed, maybe), Kind::kInt32, Shape::kOptional),
      At(offsetof(Mixed, steps), Kind::kLeaf, Shape::kScalar, &kStepsType),
      At(offsetof(Mixed, optional_steps), Kind::kLeaf, Shape::kOptional, &kStepsType),
      At(offsetof(Mixed, inside), Kind::kStruct, Shape::kScalar, &NumbersType()),
      At(offsetof(Mixed, last), Kind::kInt32, Shape::kScalar),
      At(offsetof(Mixed, list), Kind::kStruct, Shape::kList, &NumbersType(), &kListOps<Numbers>),
      At(offsetof(Mixed, optional_text), Kind::kString, Shape::kOptional),
  };
  static const Type kType = TypeWith<Mixed>(kFields);
  return kType;
}

TEST(CopyPlanTest, NeighboursThatAreTriviallyCopyableShareWords) {
  const CopyPlan* plan = FindCopyPlan(MixedType());
  ASSERT_NE(plan, nullptr);
  std::set<size_t> expected{offsetof(Mixed, flag),
                            offsetof(Mixed, maybe),
                            offsetof(Mixed, steps),
                            offsetof(Mixed, optional_steps),
                            offsetof(Mixed, optional_steps) + sizeof(Steps),
                            offsetof(Mixed, inside),
                            offsetof(Mixed, inside) + 8};
  std::set<size_t> words;
  for (const uint16_t word : plan->plain) words.insert(word * size_t{8});
  EXPECT_EQ(words, expected);
  EXPECT_EQ(plan->plain.size(), words.size());
  EXPECT_TRUE(plan->always.empty());
  EXPECT_EQ(plan->probes.size() % CopyPlan::kAtOnce, 0u);
}

TEST(CopyPlanTest, NoWordReachesOutOfTheObject) {
  const CopyPlan* plan = FindCopyPlan(NumbersType());
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->plain.size(), 1u);
  EXPECT_EQ(plan->plain[0], 0u);
  ASSERT_EQ(plan->always.size(), 1u);
  EXPECT_EQ(plan->always[0].offset, offsetof(Numbers, c));
}

TEST(CopyPlanTest, CopiesWhatIsNextToEachOther) {
  Mixed from;
  from.flag = true;
  from.small = -1;
  from.text = "text";
  from.maybe = 0;
  from.steps.count = 3;
  from.optional_steps = Steps{4};
  from.inside = {1, 2, 3};
  from.last = 9;
  from.list = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  from.optional_text = "";
  Mixed to;
  CopyObject(MixedType(), &from, &to);
  EXPECT_TRUE(to.flag);
  EXPECT_EQ(to.small, -1);
  EXPECT_EQ(to.text, "text");
  EXPECT_EQ(to.maybe, 0);
  EXPECT_EQ(to.steps.count, 3);
  EXPECT_EQ(to.optional_steps, Steps{4});
  EXPECT_EQ(to.inside.a, 1);
  EXPECT_EQ(to.inside.b, 2);
  EXPECT_EQ(to.inside.c, 3);
  EXPECT_EQ(to.last, 9);
  ASSERT_EQ(to.list.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(to.list[i].a, from.list[i].a);
    EXPECT_EQ(to.list[i].b, from.list[i].b);
    EXPECT_EQ(to.list[i].c, from.list[i].c);
  }
  EXPECT_EQ(to.optional_text, "");
}

TEST(CopyPlanTest, EveryFieldIsCopiedByOneStepOrAsPlain) {
  const Type& type = TypeOf<Everything>();
  const CopyPlan* plan = FindCopyPlan(type);
  ASSERT_NE(plan, nullptr);
  std::multiset<size_t> stepped;
  for (size_t i = 0; i < plan->probes.size(); ++i) {
    if (plan->steps[i].action != CopyStep::Action::kNothing) stepped.insert(plan->steps[i].offset);
  }
  for (const CopyStep& step : plan->always) stepped.insert(step.offset);
  std::set<size_t> plain;
  for (const uint16_t word : plan->plain) plain.insert(word);
  for (const Field& field : type.fields) {
    if (field.kind == Kind::kStruct && field.shape == Shape::kScalar) continue;
    const bool as_plain = plain.contains(field.offset / 8);
    EXPECT_EQ(stepped.count(field.offset), as_plain ? 0u : 1u) << field.name();
  }
  // Port's name is Everything's here.
  EXPECT_EQ(stepped.count(offsetof(Everything, port) + offsetof(Port, name)), 1u);
}

TEST(CopyPlanTest, RuntimeTypesHaveNone) {
  Type type = TypeOf<Port>();
  type.flags |= kRuntime;
  EXPECT_EQ(FindCopyPlan(type), nullptr);
  const Port from{"a long name that is not kept inside", 1, 2};
  Port to;
  CopyObject(type, &from, &to);
  EXPECT_EQ(to.name, from.name);
  EXPECT_EQ(to.containerPort, 1);
  EXPECT_EQ(to.hostPort, 2);
}

TEST(CopyPlanTest, ThreadsAgreeOnOne) {
  constexpr size_t kCount = 100;
  constexpr size_t kThreads = 8;
  static const std::vector<Type> kTypes(kCount, TypeOf<Port>());
  std::vector<std::vector<const CopyPlan*>> found(kThreads);
  std::atomic<size_t> waiting = kThreads;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const Port from{"name", static_cast<int32_t>(i), {}};
      for (--waiting; waiting > 0;) std::this_thread::yield();
      for (const Type& type : kTypes) {
        Port to;
        CopyObject(type, &from, &to);
        EXPECT_EQ(to.containerPort, static_cast<int32_t>(i));
        EXPECT_EQ(to.name, "name");
        found[i].push_back(FindCopyPlan(type));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_NE(found[0][i], nullptr);
    EXPECT_EQ(found[0][i]->type, &kTypes[i]);
    for (size_t j = 1; j < kThreads; ++j) EXPECT_EQ(found[j][i], found[0][i]);
  }
}

// In a process of its own, as it leaves no room for others.
TEST(CopyPlanDeathTest, WithoutRoomForPlansCopiesAreMadeAllTheSame) {
  const auto copy_by_many = [] {
    static const std::vector<Type> kTypes(5000, TypeOf<Port>());
    const Port from{"a long name that is not kept inside", 1, 2};
    bool planned = false;
    bool unplanned = false;
    for (const Type& type : kTypes) {
      Port to;
      CopyObject(type, &from, &to);
      if (to.name != from.name || to.containerPort != 1 || to.hostPort != 2) std::_Exit(2);
      (FindCopyPlan(type) ? planned : unplanned) = true;
    }
    std::_Exit(planned && unplanned ? 0 : 3);
  };
  EXPECT_EXIT(copy_by_many(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace podium::reflect
