#include "runtime/plan.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstring>
#include <string>
#include <vector>

#include "runtime/shim/plan_reader.h"

namespace podium::runtime::shim {
namespace {

Plan Full() {
  Plan plan;
  plan.flags = kPlanNewPid | kPlanNoNewPrivileges;
  plan.arguments = {"sh", "-c", ""};
  plan.environment = {"PATH=/bin", "EMPTY="};
  plan.cwd = "/srv";
  plan.uid = 1;
  plan.gid = 2;
  plan.groups = {3, 4};
  plan.rlimits = {{.resource = 7, .unused = 0, .soft = 1, .hard = 2}};
  plan.filter = std::string(16, '\0');
  plan.label_kind = LabelKind::kAppArmor;
  plan.label = "podium-default";
  plan.root = 0;
  plan.mounts = {{.kind = MountKind::kNew,
                  .target = "/proc",
                  .source = "proc",
                  .options = {"hidepid=2", "flag"}},
                 {.kind = MountKind::kAttach, .target = "/data", .descriptor = 1}};
  return plan;
}

// Kept aligned, as a mapping is.
struct Bytes {
  std::vector<uint64_t> words;
  std::span<const unsigned char> span;
  explicit Bytes(const std::string& bytes) : words(bytes.size() / 8 + 1) {
    std::memcpy(words.data(), bytes.data(), bytes.size());
    span = {reinterpret_cast<const unsigned char*>(words.data()), bytes.size()};
  }
};

bool Opens(const std::string& bytes, uint32_t descriptors = 2) {
  const Bytes aligned(bytes);
  PlanReader reader;
  return reader.Open(aligned.span, descriptors);
}

bool Opens(const Plan& plan) {
  const auto bytes = EncodePlan(plan);
  return bytes.ok() && Opens(*bytes);
}

TEST(PlanTest, IsReadAsItWasWritten) {
  const Bytes bytes(*EncodePlan(Full()));
  PlanReader reader;
  ASSERT_TRUE(reader.Open(bytes.span, 2));
  const PlanHeader& header = reader.header();
  ASSERT_EQ(header.arguments.count, 3U);
  EXPECT_EQ(reader.Text(reader.Texts(header.arguments)[1]), "-c");
  EXPECT_EQ(reader.Text(reader.Texts(header.arguments)[2]), "");
  EXPECT_EQ(*(reader.Text(reader.Texts(header.environment)[0]).data() + 9), '\0');
  EXPECT_EQ(reader.Text(header.cwd), "/srv");
  EXPECT_EQ(reader.Groups()[1], 4U);
  EXPECT_EQ(reader.Rlimits()[0].hard, 2U);
  EXPECT_EQ(reader.Text(header.filter).size(), 16U);
  EXPECT_EQ(reader.Text(header.label), "podium-default");
  ASSERT_EQ(reader.Mounts().size(), 2U);
  EXPECT_EQ(reader.Text(reader.Texts(reader.Mounts()[0].options)[1]), "flag");
  EXPECT_EQ(reader.Mounts()[1].descriptor, 1);
}

TEST(PlanTest, WhatCannotBeIsRefused) {
  EXPECT_TRUE(Opens(Full()));
  const auto refused = [](auto change) {
    Plan plan = Full();
    change(plan);
    return !Opens(plan);
  };
  EXPECT_TRUE(refused([](Plan& plan) { plan.arguments.clear(); }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.uid = 0xffffffff; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.gid = 0xffffffff; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.groups[1] = 0xffffffff; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.flags = 1U << 31; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.root = 2; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.root = -2; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.filter += "x"; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.label = ""; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.label_kind = LabelKind::kNone; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.ambient = 1; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.mounts[1].descriptor = 2; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.mounts[1].descriptor = 0; })) << "the root's";
  EXPECT_TRUE(refused([](Plan& plan) { plan.mounts[0].flags = 1U << 20; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.mounts[0].source = ""; }));
  EXPECT_TRUE(refused([](Plan& plan) { plan.mounts[0].kind = static_cast<MountKind>(99); }));
  for (const char* path : {"", "relative", "/", "//", "/a/../b", "/..", "/./a", "/a/."}) {
    EXPECT_TRUE(refused([&](Plan& plan) { plan.mounts[0].target = path; })) << path;
  }
  for (const char* path : {"", "relative", "/a/..", "/proc/self/../../etc"}) {
    EXPECT_TRUE(refused([&](Plan& plan) { plan.cwd = path; })) << path;
  }
  EXPECT_TRUE(refused([](Plan& plan) { plan.cwd = "/" + std::string(kMaxPath, 'x'); }));
}

TEST(PlanTest, NulsAndSizesAreErrorsOfTheWriter) {
  Plan plan = Full();
  plan.environment.emplace_back(std::string("A=\0B", 4));
  EXPECT_FALSE(EncodePlan(plan).ok());
  plan = Full();
  plan.environment.emplace_back(kMaxPlan, 'x');
  EXPECT_FALSE(EncodePlan(plan).ok());
}

// Whatever a byte is changed to, what is accepted can be read to its end (the sanitizer watches).
TEST(PlanTest, NoChangeOfBytesLeadsOutside) {
  const std::string original = *EncodePlan(Full());
  rc::check([&] {
    std::string bytes = original;
    const auto changes = *rc::gen::inRange(1, 4);
    for (int i = 0; i < changes; ++i) {
      const auto at = *rc::gen::inRange<size_t>(0, bytes.size());
      bytes[at] = *rc::gen::arbitrary<char>();
    }
    bytes.resize(*rc::gen::element<size_t>(bytes.size(), bytes.size() - 1, bytes.size() / 2, 3));
    const Bytes aligned(bytes);
    PlanReader reader;
    if (!reader.Open(aligned.span, 2)) return;
    size_t total = reader.Text(reader.header().cwd).size();
    for (const PlanMount& mount : reader.Mounts()) {
      total += reader.Text(mount.target).size();
      for (const TextRef option : reader.Texts(mount.options)) total += reader.Text(option).size();
    }
    for (const TextRef text : reader.Texts(reader.header().environment)) {
      RC_ASSERT(std::strlen(reader.Text(text).data()) == reader.Text(text).size());
    }
    RC_ASSERT(total < kMaxPlan);
  });
}

}  // namespace
}  // namespace podium::runtime::shim
