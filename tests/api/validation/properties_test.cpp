// What holds of the validation of every kind, whatever the object.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "api/defaults.h"
#include "api/types/core_v1.h"
#include "api/types/registry.h"
#include "api/validation/full_objects.h"
#include "api/validation/validation.h"
#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/object.h"
#include "support/long_form.h"
#include "support/mutate_object.h"
#include "support/random_object.h"
#include "support/stored_object.h"

namespace podium::api {
namespace {

using reflect::AnyObject;
using reflect::Type;

// Objects of each kind.
int Rounds() { return testing::IsLongForm() ? 2'000 : 100; }

const Type& TypeOfDocument(std::string_view json) {
  const auto header = reflect::ReadHeader(json);
  for (const KindEntry& entry : kKinds) {
    if (header->kind == entry.kind && header->api_version == entry.type->ApiVersion()) {
      return *entry.type;
    }
  }
  ADD_FAILURE() << json;
  std::abort();
}

AnyObject Load(std::string_view json) {
  const Type& type = TypeOfDocument(json);
  AnyObject object(type);
  for (const auto& problem : reflect::DecodeJson(json, type, object.get())) {
    ADD_FAILURE() << problem.Text();
  }
  testing::PrepareForStorage(type, object.get());
  return object;
}

AnyObject CopyOf(const AnyObject& object) {
  AnyObject copy(object.type());
  reflect::CopyObject(object.type(), object.get(), copy.get());
  return copy;
}

std::string Json(const AnyObject& object) {
  std::string json;
  EXPECT_TRUE(reflect::EncodeJson(object.type(), object.get(), &json).ok());
  return json;
}

std::string Text(const field::ErrorList& errors) {
  std::string text;
  for (const field::Error& error : errors) text += error.Text() + "\n";
  return text;
}

TEST(ValidationProperties, FullObjectsAreValid) {
  for (const std::string& json : FullObjects()) {
    const AnyObject object = Load(json);
    EXPECT_EQ(Text(ValidateCreate(object.type(), object.get())), "") << object.type().name;
  }
}

// Every check twice, with the same outcome, and the object as it was.
void CheckAll(const AnyObject& object, const AnyObject& old_object) {
  const Type& type = object.type();
  const std::string before = Json(object);
  const auto all = [&] {
    std::string text = Text(ValidateCreate(type, object.get()));
    text += "update\n" + Text(ValidateUpdate(type, object.get(), old_object.get()));
    text += "back\n" + Text(ValidateUpdate(type, old_object.get(), object.get()));
    for (const char* name : {"status", "finalize", "approval", "resize", "ephemeralcontainers"}) {
      const auto check = [&](const AnyObject& now, const AnyObject& old) {
        return Text(ValidateSubresourceUpdate(type, name, now.get(), old.get()));
      };
      text += name + std::string("\n") + check(object, old_object) + check(old_object, object);
    }
    return text;
  };
  ASSERT_EQ(all(), all()) << before;
  ASSERT_EQ(Json(object), before);
}

// What is valid and does not change stays valid. Of a Node upstream looks at addresses and
// configuration only when it changes.
void CheckUnchanged(const AnyObject& object) {
  const Type& type = object.type();
  if (&type == &reflect::TypeOf<core::v1::Node>()) return;
  ASSERT_EQ(Text(ValidateUpdate(type, object.get(), object.get())), "") << Json(object);
}

TEST(ValidationProperties, ChangedObjects) {
  for (const std::string& json : FullObjects()) {
    const AnyObject full = Load(json);
    int valid = 0;
    for (int round = 0; round < Rounds() && !HasFailure(); ++round) {
      AnyObject object = CopyOf(full);
      testing::MutateObject(full.type(), object.get(),
                            {.seed = static_cast<uint64_t>(round), .changes = 1 + round % 4});
      testing::PrepareForStorage(full.type(), object.get());
      CheckAll(object, full);
      if (!ValidateCreate(full.type(), object.get()).empty()) continue;
      ++valid;
      CheckUnchanged(object);
    }
    // Else the last property says little.
    EXPECT_GT(valid, Rounds() / 20) << full.type().name;
    EXPECT_LT(valid, Rounds() * 19 / 20) << full.type().name;
  }
}

TEST(ValidationProperties, RandomObjects) {
  for (const KindEntry& entry : kKinds) {
    const AnyObject empty(*entry.type);
    for (int round = 0; round < Rounds() / 20 && !HasFailure(); ++round) {
      AnyObject object(*entry.type);
      testing::FillRandom(*entry.type, object.get(), {.seed = static_cast<uint64_t>(round)});
      CheckAll(object, empty);
      testing::PrepareForStorage(*entry.type, object.get());
      CheckAll(object, empty);
    }
  }
}

}  // namespace
}  // namespace podium::api
