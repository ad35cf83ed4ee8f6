// What the round trips of all rooms' types share.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "reflect/copy.h"
#include "reflect/json.h"
#include "support/long_form.h"
#include "support/random_object.h"

namespace podium::testing {

// Objects of each type.
inline int Rounds() { return IsLongForm() ? 200 : 20; }

inline std::string JsonOf(const reflect::Type& type, const void* object) {
  std::string out;
  EXPECT_TRUE(reflect::EncodeJson(type, object, &out).ok()) << type.name;
  return out;
}

inline reflect::AnyObject RandomObject(const reflect::Type& type, int round, bool for_protobuf) {
  reflect::AnyObject object(type);
  RandomOptions options;
  options.seed = static_cast<uint64_t>(round);
  options.for_protobuf = for_protobuf;
  FillRandom(type, object.get(), options);
  return object;
}

// An object becomes JSON, the JSON the same object, and that the same JSON.
inline void CheckJsonRoundTrip(const reflect::Type& type) {
  for (int round = 0; round < Rounds(); ++round) {
    const reflect::AnyObject object = RandomObject(type, round, false);
    const std::string once = JsonOf(type, object.get());
    reflect::AnyObject back(type);
    const auto problems = reflect::DecodeJson(once, type, back.get());
    ASSERT_TRUE(problems.empty()) << problems[0].Text() << "\n" << once;
    ASSERT_TRUE(reflect::EqualObjects(type, object.get(), back.get())) << once;
    ASSERT_EQ(JsonOf(type, back.get()), once);
  }
}

inline void CheckCopyIsEqual(const reflect::Type& type) {
  for (int round = 0; round < Rounds(); ++round) {
    const reflect::AnyObject object = RandomObject(type, round, false);
    reflect::AnyObject copy(type);
    reflect::CopyObject(type, object.get(), copy.get());
    ASSERT_TRUE(reflect::EqualObjects(type, object.get(), copy.get())) << round;
    ASSERT_EQ(JsonOf(type, copy.get()), JsonOf(type, object.get())) << round;
  }
}

}  // namespace podium::testing
