#include "linux/device_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace podium::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using Rules = std::vector<DeviceRule>;

const DeviceRule kNone{.allow = false};
const DeviceRule kAll{.allow = true};
const DeviceKey kNull{.type = 'c', .major = 1, .minor = 3};
const DeviceKey kAnyOfOne{.type = 'c', .major = 1, .minor = std::nullopt};

DeviceRule Rule(bool allow, char type, std::optional<int64_t> major, std::optional<int64_t> minor,
                const char* access) {
  return {.allow = allow, .type = type, .major = major, .minor = minor, .access = access};
}

std::string Refusal(const Rules& rules) {
  const auto policy = MakeDevicePolicy(rules);
  if (policy.ok()) return "";
  EXPECT_EQ(policy.error().code(), Code::kInvalidArgument);
  return policy.error().message();
}

TEST(DevicePolicyTest, LaterRulesWin) {
  EXPECT_TRUE(MakeDevicePolicy(Rules{})->allow);
  const auto policy = MakeDevicePolicy(Rules{
      kNone, Rule(true, 'c', 1, 3, "r"), Rule(true, 'c', 1, 3, "w"), Rule(true, 'b', -1, -1, "m")});
  EXPECT_FALSE(policy->allow);
  EXPECT_THAT(policy->exceptions, ElementsAre(Pair(DeviceKey{.type = 'b'}, kDeviceMknod),
                                              Pair(kNull, kDeviceRead | kDeviceWrite)));
  const auto taken =
      MakeDevicePolicy(Rules{kNone, Rule(true, 'c', 1, 3, "rw"), Rule(false, 'c', 1, {}, "w")});
  EXPECT_THAT(taken->exceptions, ElementsAre(Pair(kNull, kDeviceRead)));
  EXPECT_THAT(MakeDevicePolicy(Rules{kNone, Rule(true, 'c', 1, 3, "r"), kAll})->exceptions,
              IsEmpty());
  EXPECT_THAT(MakeDevicePolicy(Rules{kAll, Rule(false, 'c', 1, 3, "r")})->exceptions,
              ElementsAre(Pair(kNull, kDeviceRead)));
}

TEST(DevicePolicyTest, NoPartIsTakenOutOfAWildcard) {
  EXPECT_THAT(Refusal({kNone, Rule(true, 'c', 1, {}, "rw"), Rule(false, 'c', 1, 3, "w")}),
              HasSubstr("wildcard"));
  EXPECT_EQ(Refusal({kNone, Rule(true, 'c', 1, {}, "r"), Rule(false, 'c', 1, 3, "w")}), "");
  EXPECT_EQ(Refusal({kNone, Rule(true, 'c', 1, {}, "r"), Rule(false, 'b', 1, 3, "r")}), "");
}

TEST(DevicePolicyTest, WhatIsNoRule) {
  EXPECT_NE(Refusal({Rule(true, 'x', 1, 3, "r")}), "");
  EXPECT_NE(Refusal({Rule(true, 'c', 1, 3, "")}), "");
  EXPECT_NE(Refusal({Rule(true, 'c', 1, 3, "rx")}), "");
  EXPECT_NE(Refusal({Rule(true, 'c', -2, 3, "r")}), "");
  EXPECT_NE(Refusal({Rule(true, 'c', int64_t{1} << 32, 3, "r")}), "");
  EXPECT_NE(Refusal({Rule(true, 'a', 1, {}, "rwm")}), "");
  EXPECT_NE(Refusal({Rule(false, 'a', {}, {}, "m")}), "");
}

// Runs a program as the kernel would, for the few instructions that are compiled to.
bool Allows(const std::vector<bpf_insn>& program, bool block, uint32_t major, uint32_t minor,
            uint32_t access) {
  const uint32_t context[3] = {(access << 16) | (block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
                               major, minor};
  uint32_t registers[11] = {};
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& one = program[at];
    const auto value = static_cast<uint32_t>(one.imm);
    uint32_t& target = registers[one.dst_reg];
    switch (one.code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        target = context[one.off / 4];
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        target = registers[one.src_reg];
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        target = value;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        target &= value;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        target >>= value;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        at += target != value ? one.off : 0;
        break;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        at += target == value ? one.off : 0;
        break;
      case BPF_JMP | BPF_EXIT:
        return registers[0] != 0;
      default:
        ADD_FAILURE() << "instruction " << int{one.code};
        return false;
    }
  }
  ADD_FAILURE() << "the program does not end";
  return false;
}

bool Matches(const DeviceKey& key, bool block, uint32_t major, uint32_t minor) {
  return key.type == (block ? 'b' : 'c') && key.major.value_or(major) == major &&
         key.minor.value_or(minor) == minor;
}

TEST(DevicePolicyTest, ProgramsDecideAsThePolicySays) {
  for (const bool allow : {false, true}) {
    const bool other = !allow;
    const auto policy =
        MakeDevicePolicy(Rules{allow ? kAll : kNone, Rule(other, 'c', 1, 3, "rw"),
                               Rule(other, 'c', 1, {}, "m"), Rule(other, 'b', {}, {}, "rwm"),
                               Rule(other, 'c', {}, 7, "r"), Rule(other, 'c', 4294967295, 5, "w")});
    ASSERT_TRUE(policy.ok());
    const auto program = CompileDevicePolicy(*policy);
    for (const bool block : {false, true}) {
      for (const uint32_t major : {0u, 1u, 2u, 4294967295u}) {
        for (const uint32_t minor : {0u, 3u, 5u, 7u}) {
          for (uint32_t access = 1; access < 8; ++access) {
            bool expected = allow;
            for (const auto& [key, bits] : policy->exceptions) {
              if (!Matches(key, block, major, minor)) continue;
              if (allow ? (access & bits) != 0 : (access & ~bits) == 0) expected = !allow;
            }
            ASSERT_EQ(Allows(program, block, major, minor, access), expected)
                << allow << block << " " << major << ":" << minor << " " << access;
          }
        }
      }
    }
  }
}

TEST(DevicePolicyTest, AWideKeyAndANarrowOne) {
  const auto policy =
      MakeDevicePolicy(Rules{kNone, Rule(true, 'c', 1, {}, "r"), Rule(true, 'c', 1, 3, "w")});
  EXPECT_THAT(policy->exceptions,
              ElementsAre(Pair(kAnyOfOne, kDeviceRead), Pair(kNull, kDeviceWrite)));
}

}  // namespace
}  // namespace podium::kernel
