// What holds of the validation of every kind, whatever the object.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "api/defaults.h"
#include "api/types/apps_v1.h"
#include "api/types/batch_v1.h"
#include "api/types/core_v1.h"
#include "api/types/registry.h"
#include "api/validation/daemon_set.h"
#include "api/validation/deployment.h"
#include "api/validation/full_objects.h"
#include "api/validation/job.h"
#include "api/validation/pod.h"
#include "api/validation/replica_set.h"
#include "api/validation/replication_controller.h"
#include "api/validation/stateful_set.h"
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
int Rounds() { return testing::IsLongForm() ? 2'000 : 200; }

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

// Through the status subresource.
using StatusCheck = field::ErrorList (*)(const void* object, const void* old_object);

template <class T, field::ErrorList (*check)(const T&, const T&)>
field::ErrorList CheckStatus(const void* object, const void* old_object) {
  return check(*static_cast<const T*>(object), *static_cast<const T*>(old_object));
}

field::ErrorList PodStatus(const core::v1::Pod& pod, const core::v1::Pod& old_pod) {
  PodValidationOptions options = PodValidationOptionsFor(&old_pod.spec, &old_pod.metadata);
  options.resource_is_pod = true;
  return ValidatePodStatusUpdate(pod, old_pod, options);
}

// Null for a kind without rules for its status.
StatusCheck StatusCheckOf(const Type& type) {
  using namespace apps::v1;  // NOLINT: four kinds, named once
  using core::v1::ReplicationController;
  const std::pair<const Type*, StatusCheck> rows[] = {
      {&reflect::TypeOf<core::v1::Pod>(), CheckStatus<core::v1::Pod, PodStatus>},
      {&reflect::TypeOf<ReplicationController>(),
       CheckStatus<ReplicationController, ValidateReplicationControllerStatusUpdate>},
      {&reflect::TypeOf<ReplicaSet>(), CheckStatus<ReplicaSet, ValidateReplicaSetStatusUpdate>},
      {&reflect::TypeOf<Deployment>(), CheckStatus<Deployment, ValidateDeploymentStatusUpdate>},
      {&reflect::TypeOf<DaemonSet>(), CheckStatus<DaemonSet, ValidateDaemonSetStatusUpdate>},
      {&reflect::TypeOf<StatefulSet>(), CheckStatus<StatefulSet, ValidateStatefulSetStatusUpdate>},
      {&reflect::TypeOf<batch::v1::Job>(), CheckStatus<batch::v1::Job, ValidateJobStatusUpdate>},
  };
  for (const auto& [row_type, check] : rows) {
    if (row_type == &type) return check;
  }
  return nullptr;
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
    if (StatusCheck status = StatusCheckOf(type)) {
      text += "status\n" + Text(status(object.get(), old_object.get()));
      text += "status back\n" + Text(status(old_object.get(), object.get()));
    }
    return text;
  };
  ASSERT_EQ(all(), all()) << before;
  ASSERT_EQ(Json(object), before);
}

// What is valid and does not change stays valid.
void CheckUnchanged(const AnyObject& object) {
  const Type& type = object.type();
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
