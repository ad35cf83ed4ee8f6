// What the engine relies on, for every generated type.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/types/admissionregistration_v1.h"
#include "api/types/apiextensions_v1.h"
#include "api/types/authentication_v1.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "api/types/registry.h"
#include "api/types/runtime.h"
#include "reflect/list_map_keys.h"

namespace podium::api {
namespace {

using reflect::AnyObject;
using reflect::Field;
using reflect::Kind;
using reflect::ProtoRow;
using reflect::Shape;
using reflect::Type;

template <class Check>
void ForEachType(Check check) {
  for (const PackageTypes& package : kPackages) {
    for (const Type* type : package.types) {
      SCOPED_TRACE(std::string(package.package->group) + "/" + package.package->version + " " +
                   type->name);
      EXPECT_EQ(type->package, package.package);
      check(*type);
    }
  }
}

TEST(TypesTest, EveryTypeOfTheTablesIsThere) {
  EXPECT_EQ(kPackages.size(), 31u);
  size_t types = 0;
  size_t fields = 0;
  ForEachType([&](const Type& type) {
    ++types;
    fields += type.fields.size();
  });
  EXPECT_GE(types, 670u);
  EXPECT_GE(fields, 2600u);
}

TEST(TypesTest, NamesAreUniqueAndMembersDoNotOverlap) {
  ForEachType([](const Type& type) {
    std::set<std::string_view> names;
    uint32_t end = 0;
    for (const Field& field : type.fields) {
      EXPECT_TRUE(names.insert(field.name()).second) << field.name();
      EXPECT_EQ(std::string_view(field.quoted), "\"" + std::string(field.name()) + "\":");
      EXPECT_GE(field.offset, end) << field.name();
      end = field.offset + 1;
      EXPECT_LT(field.offset, type.size);
      ASSERT_NE(field.facts, nullptr);
      EXPECT_EQ(field.type != nullptr, field.kind == Kind::kStruct || field.kind == Kind::kLeaf);
      EXPECT_EQ(field.ops != nullptr, field.shape == Shape::kList || field.shape == Shape::kMap);
    }
  });
}

// Where the field behind this one begins, or the object ends.
size_t NextOffset(const Type& type, const Field& field) {
  size_t next = type.size;
  for (const Field& other : type.fields) {
    if (other.offset > field.offset) next = std::min<size_t>(next, other.offset);
  }
  return next;
}

// A container that JSON never omits tells null from empty.
TEST(TypesTest, ContainersWithoutOmitEmptyAreNullable) {
  size_t nullable = 0;
  ForEachType([&](const Type& type) {
    if (type.form == reflect::Form::kAlternatives) return;
    for (const Field& field : type.fields) {
      if (field.shape != Shape::kList && field.shape != Shape::kMap) continue;
      EXPECT_NE(field.has(reflect::kNullable), field.has(reflect::kOmitEmpty)) << field.name();
      // The flag that tells null from empty stands behind the container, and is nobody else's.
      if (field.has(reflect::kNullable)) {
        const size_t container =
            field.shape == Shape::kList ? sizeof(reflect::List<int>) : sizeof(reflect::Map<int>);
        EXPECT_LT(field.offset + container, NextOffset(type, field)) << field.name();
      }
      nullable += field.has(reflect::kNullable);
    }
  });
  EXPECT_GE(nullable, 137u);
}

void CheckRows(const Type& type, std::span<const ProtoRow> rows, std::map<int, int>* uses) {
  int before = 0;
  for (const ProtoRow& row : rows) {
    EXPECT_GT(row.number, before);
    before = row.number;
    if (row.is_group()) {
      CheckRows(type, row.rows(), uses);
      continue;
    }
    ASSERT_LT(row.field, type.fields.size());
    EXPECT_EQ(type.fields[row.field].proto, row.number) << type.fields[row.field].name();
    ++(*uses)[row.field];
  }
}

TEST(TypesTest, ProtobufRowsAreInOrderAndReachEveryNumberedFieldOnce) {
  ForEachType([](const Type& type) {
    std::map<int, int> uses;
    CheckRows(type, type.proto_rows, &uses);
    for (size_t i = 0; i < type.fields.size(); ++i) {
      EXPECT_EQ(uses[static_cast<int>(i)], type.fields[i].proto != 0) << type.fields[i].name();
    }
    if (type.has(reflect::kNoProto)) EXPECT_TRUE(type.proto_rows.empty());
  });
}

TEST(TypesTest, MergeKeysAndListMapKeysAreFieldsOfTheElements) {
  size_t keys = 0;
  ForEachType([&](const Type& type) {
    for (const Field& field : type.fields) {
      std::vector<std::string> names = reflect::ListMapKeysOf(*field.facts);
      if (field.facts->merge_key[0]) names.emplace_back(field.facts->merge_key);
      for (const std::string& name : names) {
        ASSERT_NE(field.type, nullptr) << field.name();
        EXPECT_NE(field.type->Find(name), nullptr) << field.name();
        ++keys;
      }
    }
  });
  EXPECT_GE(keys, 110u);
}

TEST(TypesTest, ObjectsCanBeMadeAndDestroyed) {
  ForEachType([](const Type& type) {
    AnyObject object(type);
    ASSERT_TRUE(object);
  });
}

TEST(TypesTest, InlinedStructsAreFlat) {
  core::v1::Volume volume;
  volume.configMap.ensure().name = "c";
  EXPECT_EQ(volume.configMap->name, "c");
  const Type& type = reflect::TypeOf<core::v1::Volume>();
  ASSERT_EQ(type.proto_rows.size(), 2u);
  EXPECT_FALSE(type.proto_rows[0].is_group());
  EXPECT_TRUE(type.proto_rows[1].is_group());
  EXPECT_EQ(type.proto_rows[1].number, 2);
  EXPECT_EQ(type.fields[type.proto_rows[1].rows()[0].field].name(), "hostPath");
}

TEST(TypesTest, FactsOfFields) {
  const Field* ports = core::v1::kContainerType.Find("ports");
  ASSERT_NE(ports, nullptr);
  EXPECT_STREQ(ports->facts->merge_key, "containerPort");
  EXPECT_STREQ(ports->facts->list_map_keys, "containerPort protocol");
  EXPECT_TRUE(ports->facts->patch_merge);
  EXPECT_EQ(ports->facts->list_type, reflect::ListType::kMap);

  const Field* protocol = core::v1::kContainerPortType.Find("protocol");
  EXPECT_STREQ(protocol->facts->enum_name, "Protocol");
  EXPECT_STREQ(protocol->facts->enum_values, "TCP|UDP|SCTP");
  EXPECT_TRUE(protocol->facts->closed_enum);
  EXPECT_STREQ(protocol->facts->default_value, "\"TCP\"");

  const Field* volumes = core::v1::kPodSpecType.Find("volumes");
  EXPECT_TRUE(volumes->facts->patch_merge);
  EXPECT_TRUE(volumes->facts->patch_retain_keys);
  EXPECT_EQ(core::v1::kPodSpecType.Find("nodeSelector")->facts->map_type,
            reflect::MapType::kAtomic);
  // As its type says, and as the field says otherwise.
  EXPECT_TRUE(core::v1::kPersistentVolumeClaimSpecType.Find("selector")->facts->struct_atomic);
  EXPECT_FALSE(core::v1::kPersistentVolumeSpecType.Find("claimRef")->facts->struct_atomic);
}

// What upstream's markers say of fields, which `podium explain` and the OpenAPI documents repeat.
TEST(TypesTest, MarksOfFields) {
  struct Case {
    const Type& type;
    const char* field;
    bool required;
    bool optional;
    bool omitted_when_empty;
  };
  const Case cases[] = {
      {core::v1::kContainerType, "name", false, false, false},
      {core::v1::kPodSpecType, "containers", false, false, false},
      {core::v1::kPodSpecType, "nodeName", false, true, true},
      {core::v1::kPodType, "spec", false, true, true},
      {core::v1::kObjectFieldSelectorType, "fieldPath", false, false, false},
      {core::v1::kGRPCActionType, "service", false, true, false},
      {admissionregistration::v1::kValidatingAdmissionPolicyBindingSpecType, "policyName", true,
       false, true},
  };
  for (const Case& c : cases) {
    const Field* field = c.type.Find(c.field);
    ASSERT_NE(field, nullptr) << c.field;
    EXPECT_EQ(field->has(reflect::kRequired), c.required) << c.field;
    EXPECT_EQ(field->has(reflect::kOptionalMark), c.optional) << c.field;
    EXPECT_EQ(field->has(reflect::kOmitEmpty), c.omitted_when_empty) << c.field;
  }
  size_t required = 0;
  size_t with_values = 0;
  size_t with_default = 0;
  ForEachType([&](const Type& type) {
    for (const Field& field : type.fields) {
      required += field.has(reflect::kRequired);
      with_values += field.facts->enum_values[0] != '\0';
      with_default += field.facts->default_value[0] != '\0';
    }
  });
  EXPECT_GE(required, 91u);
  EXPECT_GE(with_values, 150u);
  EXPECT_GE(with_default, 25u);
}

TEST(TypesTest, SpecialForms) {
  EXPECT_EQ(authentication::v1::kExtraValueType.form, reflect::Form::kTransparent);
  EXPECT_EQ(authentication::v1::kExtraValueType.fields.size(), 1u);
  const Type& or_bool = apiextensions::v1::kJSONSchemaPropsOrBoolType;
  EXPECT_EQ(or_bool.form, reflect::Form::kAlternatives);
  EXPECT_TRUE(or_bool.Find("allows")->has(reflect::kFromOuter));
  EXPECT_TRUE(meta::v1::kTableType.has(reflect::kNoProto));
  EXPECT_TRUE(core::v1::kPodListType.has(reflect::kListKind));
  EXPECT_FALSE(meta::v1::kStatusType.has(reflect::kListKind));
  // The envelope is the one message that carries apiVersion and kind, and carries them first.
  EXPECT_TRUE(runtime::kUnknownType.proto_rows[0].is_group());
  EXPECT_EQ(apiextensions::v1::kJSONSchemaPropsType.Find("default")->kind, Kind::kRaw);
}

}  // namespace
}  // namespace podium::api
