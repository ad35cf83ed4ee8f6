#include "reflect/test_types.h"

#include <charconv>
#include <cstddef>

#pragma clang diagnostic ignored "-Winvalid-offsetof"

namespace podium::reflect {
namespace testing {
namespace {

bool ReadSteps(std::string_view text, Steps* steps) {
  if (text.ends_with('s')) text.remove_suffix(1);
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), steps->count);
  return error == std::errc() && stop == text.data() + text.size();
}

constexpr Leaf kStepsLeaf = [] {
  Leaf leaf = MakeLeaf<Steps>();
  leaf.from_json = [](const JsonScalar& token, void* value, std::string* problem) {
    const bool scalar =
        token.form == JsonScalar::Form::kString || token.form == JsonScalar::Form::kNumber;
    if (scalar && ReadSteps(token.text, static_cast<Steps*>(value))) return true;
    *problem = "not a number of steps";
    return false;
  };
  leaf.to_json = [](const void* value, std::string* out) {
    *out += '"' + std::to_string(static_cast<const Steps*>(value)->count) + "s\"";
  };
  leaf.from_proto = [](std::string_view message, void* value, std::string* problem) {
    // One string in field 1.
    if (message.size() >= 2 && message[0] == 0x0a &&
        static_cast<size_t>(message[1]) == message.size() - 2 &&
        ReadSteps(message.substr(2), static_cast<Steps*>(value))) {
      return true;
    }
    *problem = "not a number of steps";
    return false;
  };
  leaf.to_proto = [](const void* value, std::string* out) {
    const std::string text = std::to_string(static_cast<const Steps*>(value)->count);
    *out += '\x0a';
    *out += static_cast<char>(text.size());
    *out += text;
  };
  return leaf;
}();

constexpr Package kPackage{"test.podium", "v1", "podium.test.v1", "podium/test/v1"};
constexpr Facts kNoFacts;
constexpr Facts kColorFacts{.enum_name = "Color", .enum_values = "RED=0 GREEN=1 BLUE=5"};

}  // namespace

constinit const Type kStepsType{"Steps", &kPackage,     {},          {}, &kStepsLeaf, nullptr,
                                nullptr, sizeof(Steps), Form::kLeaf, 0};

namespace {

extern const Type kPort, kSchema, kSchemaOrBool, kWords, kEverything;

constexpr Field F(const char* quoted, uint32_t offset, uint16_t proto, Kind kind, Shape shape,
                  uint8_t flags = 0, const Type* type = nullptr, const void* ops = nullptr,
                  const Facts* facts = &kNoFacts) {
  return Field{quoted,
               type,
               ops,
               facts,
               offset,
               proto,
               static_cast<uint8_t>(std::string_view(quoted).size() - 3),
               kind,
               shape,
               flags};
}

constexpr Field kPortFields[] = {
    F("\"name\":", offsetof(Port, name), 1, Kind::kString, Shape::kScalar, kOmitEmpty),
    F("\"containerPort\":", offsetof(Port, containerPort), 3, Kind::kInt32, Shape::kScalar),
    F("\"hostPort\":", offsetof(Port, hostPort), 2, Kind::kInt32, Shape::kOptional, kOmitEmpty),
};
constexpr ProtoRow kPortRows[] = {{1, 0}, {2, 2}, {3, 1}};
constinit const Type kPort{"Port",
                           &kPackage,
                           kPortFields,
                           kPortRows,
                           nullptr,
                           &CreateStruct<Port>,
                           &DestroyStruct<Port>,
                           sizeof(Port),
                           Form::kStruct,
                           0};

constexpr Field kSchemaOrBoolFields[] = {
    F("\"\":", offsetof(SchemaOrBool, allows), 1, Kind::kBool, Shape::kScalar, kFromOuter),
    F("\"\":", offsetof(SchemaOrBool, schema), 2, Kind::kStruct, Shape::kBox, 0, &kSchema),
};
constexpr ProtoRow kTwoRows[] = {{1, 0}, {2, 1}};
constinit const Type kSchemaOrBool{"SchemaOrBool",
                                   &kPackage,
                                   kSchemaOrBoolFields,
                                   kTwoRows,
                                   nullptr,
                                   &CreateStruct<SchemaOrBool>,
                                   &DestroyStruct<SchemaOrBool>,
                                   sizeof(SchemaOrBool),
                                   Form::kAlternatives,
                                   0};

constexpr Field kSchemaFields[] = {
    F("\"title\":", offsetof(Schema, title), 1, Kind::kString, Shape::kScalar, kOmitEmpty),
    F("\"additional\":", offsetof(Schema, additional), 2, Kind::kStruct, Shape::kBox, kOmitEmpty,
      &kSchemaOrBool),
    F("\"properties\":", offsetof(Schema, properties), 3, Kind::kStruct, Shape::kMap, kOmitEmpty,
      &kSchema, &kMapOps<Schema>),
};
constexpr ProtoRow kSchemaRows[] = {{1, 0}, {2, 1}, {3, 2}};
constinit const Type kSchema{"Schema",
                             &kPackage,
                             kSchemaFields,
                             kSchemaRows,
                             nullptr,
                             &CreateStruct<Schema>,
                             &DestroyStruct<Schema>,
                             sizeof(Schema),
                             Form::kStruct,
                             0};

constexpr Field kWordsFields[] = {
    F("\"\":", offsetof(Words, items), 1, Kind::kString, Shape::kList, 0, nullptr,
      &kListOps<std::string>),
};
constexpr ProtoRow kOneRow[] = {{1, 0}};
constinit const Type kWords{"Words",
                            &kPackage,
                            kWordsFields,
                            kOneRow,
                            nullptr,
                            &CreateStruct<Words>,
                            &DestroyStruct<Words>,
                            sizeof(Words),
                            Form::kTransparent,
                            0};

using E = Everything;
constexpr Field kEverythingFields[] = {
    F("\"kind\":", offsetof(E, kind), 0, Kind::kString, Shape::kScalar, kOmitEmpty),
    F("\"apiVersion\":", offsetof(E, apiVersion), 0, Kind::kString, Shape::kScalar, kOmitEmpty),
    F("\"flag\":", offsetof(E, flag), 1, Kind::kBool, Shape::kScalar, kOmitEmpty),
    F("\"maybe\":", offsetof(E, maybe), 2, Kind::kBool, Shape::kOptional, kOmitEmpty),
    F("\"small\":", offsetof(E, small), 3, Kind::kInt32, Shape::kScalar),
    F("\"big\":", offsetof(E, big), 4, Kind::kInt64, Shape::kScalar, kOmitEmpty),
    F("\"usmall\":", offsetof(E, usmall), 5, Kind::kUint32, Shape::kScalar, kOmitEmpty),
    F("\"ubig\":", offsetof(E, ubig), 6, Kind::kUint64, Shape::kScalar, kOmitEmpty),
    F("\"ratio\":", offsetof(E, ratio), 7, Kind::kDouble, Shape::kScalar, kOmitEmpty),
    F("\"text\":", offsetof(E, text), 8, Kind::kString, Shape::kScalar, kOmitEmpty),
    F("\"optionalText\":", offsetof(E, optionalText), 9, Kind::kString, Shape::kOptional,
      kOmitEmpty),
    F("\"bytes\":", offsetof(E, bytes), 10, Kind::kBytes, Shape::kScalar, kOmitEmpty),
    F("\"raw\":", offsetof(E, raw), 11, Kind::kRaw, Shape::kScalar),
    F("\"optionalRaw\":", offsetof(E, optionalRaw), 12, Kind::kRaw, Shape::kOptional, kOmitEmpty),
    F("\"steps\":", offsetof(E, steps), 13, Kind::kLeaf, Shape::kScalar, kOmitZero, &kStepsType),
    F("\"optionalSteps\":", offsetof(E, optionalSteps), 14, Kind::kLeaf, Shape::kOptional,
      kOmitEmpty, &kStepsType),
    F("\"color\":", offsetof(E, color), 15, Kind::kEnum, Shape::kScalar, kOmitEmpty, nullptr,
      nullptr, &kColorFacts),
    F("\"port\":", offsetof(E, port), 16, Kind::kStruct, Shape::kScalar, kOmitEmpty, &kPort),
    F("\"boxedPort\":", offsetof(E, boxedPort), 17, Kind::kStruct, Shape::kBox, kOmitEmpty, &kPort),
    F("\"ports\":", offsetof(E, ports), 18, Kind::kStruct, Shape::kList, kOmitEmpty, &kPort,
      &kListOps<Port>),
    F("\"nullablePorts\":", offsetof(E, nullablePorts), 19, Kind::kStruct, Shape::kList, kNullable,
      &kPort, &kListOps<Port>),
    F("\"words\":", offsetof(E, words), 20, Kind::kString, Shape::kList, kOmitEmpty, nullptr,
      &kListOps<std::string>),
    F("\"numbers\":", offsetof(E, numbers), 21, Kind::kInt64, Shape::kList, kOmitEmpty, nullptr,
      &kListOps<int64_t>),
    F("\"bools\":", offsetof(E, bools), 22, Kind::kBool, Shape::kList, kOmitEmpty, nullptr,
      &kListOps<Bool>),
    F("\"labels\":", offsetof(E, labels), 23, Kind::kString, Shape::kMap, kOmitEmpty, nullptr,
      &kMapOps<std::string>),
    F("\"limits\":", offsetof(E, limits), 24, Kind::kLeaf, Shape::kMap, kOmitEmpty, &kStepsType,
      &kMapOps<Steps>),
    F("\"portsByName\":", offsetof(E, portsByName), 25, Kind::kStruct, Shape::kMap, kOmitEmpty,
      &kPort, &kMapOps<Port>),
    F("\"extra\":", offsetof(E, extra), 26, Kind::kStruct, Shape::kMap, kOmitEmpty, &kWords,
      &kMapOps<Words>),
    F("\"nullableMap\":", offsetof(E, nullableMap), 27, Kind::kString, Shape::kMap, kNullable,
      nullptr, &kMapOps<std::string>),
    F("\"path\":", offsetof(E, path), 1, Kind::kString, Shape::kOptional, kOmitEmpty),
    F("\"schema\":", offsetof(E, schema), 28, Kind::kStruct, Shape::kBox, kOmitEmpty, &kSchema),
};
constexpr ProtoRow kEverythingRows[] = {
    {1, 2},
    {2, 3},
    {3, 4},
    {4, 5},
    {5, 6},
    {6, 7},
    {7, 8},
    {8, 9},
    {9, 10},
    {10, 11},
    {11, 12},
    {12, 13},
    {13, 14},
    {14, 15},
    {15, 16},
    {16, 17},
    {17, 18},
    {18, 19},
    {19, 20},
    {20, 21},
    {21, 22},
    {22, 23},
    {23, 24},
    {24, 25},
    {25, 26},
    {26, 27},
    {27, 28},
    {28, 30},
    {40, ProtoRow::kGroup, 1, 1},
    {1, 29},  // inside of 40, no row of the message itself
};
constexpr auto kEverythingProbes = ProbesOf<Everything>(kEverythingFields);
constinit const Type kEverything{"Everything",
                                 &kPackage,
                                 kEverythingFields,
                                 {kEverythingRows, std::size(kEverythingRows) - 1},
                                 nullptr,
                                 &CreateStruct<Everything>,
                                 &DestroyStruct<Everything>,
                                 sizeof(Everything),
                                 Form::kStruct,
                                 kRootKind,
                                 {},
                                 kEverythingProbes.data()};

}  // namespace
}  // namespace testing

template <>
const Type& TypeOf<testing::Port>() {
  return testing::kPort;
}
template <>
const Type& TypeOf<testing::Schema>() {
  return testing::kSchema;
}
template <>
const Type& TypeOf<testing::SchemaOrBool>() {
  return testing::kSchemaOrBool;
}
template <>
const Type& TypeOf<testing::Words>() {
  return testing::kWords;
}
template <>
const Type& TypeOf<testing::Everything>() {
  return testing::kEverything;
}

}  // namespace podium::reflect
