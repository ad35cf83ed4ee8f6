#include "reflect/runtime_types.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "reflect/json.h"
#include "reflect/list_map_keys.h"
#include "reflect/ops.h"
#include "reflect/runtime_storage.h"
#include "reflect/unknown_members.h"
#include "reflect/walk.h"

namespace podium::reflect {
namespace {

// No key of JSON equals this one: it does not begin with a quote, and its name is not UTF-8.
constexpr const char* kUnknownKey = "\0\xFF\0\0";
constexpr Facts kNoFacts;

const JsonValue* FindObject(const JsonValue& schema, std::string_view key) {
  const JsonValue* found = schema.Find(key);
  return found && found->is_object() ? found : nullptr;
}

bool IsTrue(const JsonValue& schema, std::string_view key) {
  const JsonValue* found = schema.Find(key);
  return found && found->is_bool() && found->boolean();
}

std::string_view Text(const JsonValue& schema, std::string_view key) {
  const JsonValue* found = schema.Find(key);
  return found && found->is_string() ? std::string_view(found->string()) : std::string_view();
}

// The strings of a list; none when it has others.
std::vector<std::string> Texts(const JsonValue* list) {
  std::vector<std::string> texts;
  if (!list || !list->is_array()) return texts;
  for (const JsonValue& element : list->array()) {
    if (!element.is_string()) return {};
    texts.push_back(element.string());
  }
  return texts;
}

std::string Joined(const std::vector<std::string>& texts, char separator) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += separator;
    out += text;
  }
  return out;
}

// Whether the name's JSON is the name in quotes.
bool IsPlainName(std::string_view name) {
  if (name.empty()) return false;
  std::string quoted;
  AppendJsonString(name, &quoted);
  return quoted.size() == name.size() + 2;
}

// Finds a multiplier under which no two keys share a slot (see name_index.h). Types with many
// fields do without.
void BuildIndex(RuntimeType* type) {
  constexpr size_t kMostFields = 128;
  constexpr int kTries = 200;
  const size_t count = type->own_fields.size();
  if (count == 0 || count > kMostFields) return;
  uint64_t multiplier = 0x9E3779B97F4A7C15;
  const auto least = static_cast<int>(std::bit_width(count));
  for (int bits = least; bits <= least + 5; ++bits) {
    for (int i = 0; i < kTries; ++i) {
      multiplier = multiplier * 0x5851F42D4C957F2D + 0x14057B7EF767814F;
      std::vector<uint8_t> slots(size_t{1} << bits, NameIndex::kNoField);
      bool good = true;
      for (size_t field = 0; field < count && good; ++field) {
        const Field& f = type->own_fields[field];
        if (f.has(kUnknown) || f.name_size == 0) continue;
        uint8_t& slot =
            slots[(KeyBits(f.quoted, f.name_size + size_t{3}) * (multiplier | 1)) >> (64 - bits)];
        good = slot == NameIndex::kNoField;
        slot = static_cast<uint8_t>(field);
      }
      if (!good) continue;
      type->slots = std::move(slots);
      type->index = {type->slots.data(), multiplier | 1, static_cast<uint8_t>(bits)};
      return;
    }
  }
}

}  // namespace

struct RuntimeTypes::Arena {
  std::deque<std::string> strings;
  std::deque<Facts> facts;
  std::deque<RuntimeType> types;
  Package package{};
};

RuntimeTypes::RuntimeTypes() : arena_(std::make_unique<Arena>()) {}
RuntimeTypes::~RuntimeTypes() = default;

class RuntimeTypeBuilder {
 public:
  RuntimeTypeBuilder(RuntimeTypes* types, const RuntimeTypeOptions& options)
      : arena_(*types->arena_), options_(options) {}

  Result<const Type*> Root(const JsonValue& schema, const RuntimeTypeName& name) {
    arena_.package = {Keep(name.group), Keep(name.version), "", ""};
    path_ = name.kind;
    if (!schema.is_object() || Text(schema, "type") != "object") {
      return Error(Code::kInvalidArgument, path_ + ": the schema's type must be object");
    }
    RuntimeType& type = NewType(Form::kStruct);
    type.flags |= kRootKind;
    for (const char* key : {"\"kind\":", "\"apiVersion\":"}) {
      Slot slot = Storage<std::string>(Kind::kString, Shape::kScalar);
      TRY_VOID(AddField(&type, key, slot, kOmitEmpty, &kNoFacts));
    }
    TRY_VOID(AddMetadata(&type));
    TRY_VOID(AddProperties(&type, schema, 0));
    Finish(&type);
    return &type;
  }

 private:
  // How one value is held, before it is known where.
  struct Slot {
    Kind kind;
    Shape shape;
    const Type* type = nullptr;
    const void* ops = nullptr;
    const StorageOps* storage = nullptr;
    uint8_t flags = 0;
  };

  template <class T>
  static Slot Storage(Kind kind, Shape shape, const Type* type = nullptr, const void* ops = nullptr,
                      uint8_t flags = 0) {
    return {kind, shape, type, ops, &kStorageOps<T>, flags};
  }
  static Slot BoxOf(const Type* type, uint8_t flags = 0) {
    return Storage<BoxStorage>(Kind::kStruct, Shape::kBox, type, nullptr, flags);
  }

  Error Wrong(std::string_view problem) const {
    return Error(Code::kInvalidArgument, path_ + ": " + std::string(problem));
  }
  const char* Keep(std::string text) {
    return arena_.strings.emplace_back(std::move(text)).c_str();
  }

  RuntimeType& NewType(Form form) {
    RuntimeType& type = arena_.types.emplace_back();
    type.name = Keep(path_);
    type.package = &arena_.package;
    type.create = &CreateRuntimeObject;
    type.destroy = &DestroyRuntimeObject;
    type.form = form;
    type.flags = kRuntime | kNoProto;
    return type;
  }

  Result<void> AddField(RuntimeType* type, const char* quoted, const Slot& slot, uint8_t flags,
                        const Facts* facts, std::string_view name = {}) {
    if (++fields_ > options_.max_fields) {
      return Error(Code::kResourceExhausted,
                   path_ + ": more than " + std::to_string(options_.max_fields) + " fields");
    }
    const StorageOps& storage = *slot.storage;
    const uint32_t offset = (type->size + storage.align - 1) / storage.align * storage.align;
    constexpr uint32_t kMostBytes = (1U << 20) - 256;  // what Field::offset holds
    if (offset > kMostBytes) return Error(Code::kResourceExhausted, path_ + ": too many fields");
    type->size = offset + storage.size;
    size_t name_size = quoted == kUnknownKey ? 1 : std::string_view(quoted).size() - 3;
    if (!name.empty()) name_size = name.size();
    type->own_fields.push_back({quoted, slot.type, slot.ops, facts, offset, 0,
                                static_cast<uint8_t>(name_size), slot.kind, slot.shape,
                                static_cast<uint8_t>(slot.flags | flags)});
    type->storage.push_back(slot.storage);
    return {};
  }

  static void Finish(RuntimeType* type) {
    type->fields = type->own_fields;
    if (type->form == Form::kStruct) BuildIndex(type);
  }

  // A type whose JSON is that of the slot.
  Result<const Type*> Transparent(const Slot& slot, uint8_t flags = 0,
                                  const Facts* facts = &kNoFacts) {
    RuntimeType& type = NewType(Form::kTransparent);
    TRY_VOID(AddField(&type, "\"\":", slot, flags, facts));
    Finish(&type);
    return &type;
  }

  // The type of any JSON, null included.
  Result<const Type*> RawType() {
    if (!raw_) {
      TRY(raw_, Transparent(Storage<RawJson>(Kind::kRaw, Shape::kScalar)));
    }
    return raw_;
  }

  Result<void> AddMetadata(RuntimeType* type) {
    Slot slot;
    if (options_.object_meta) {
      slot = BoxOf(options_.object_meta);
    } else {
      slot = Storage<std::optional<RawJson>>(Kind::kRaw, Shape::kOptional);
    }
    return AddField(type, "\"metadata\":", slot, kOmitEmpty, &kNoFacts);
  }

  Result<void> AddProperties(RuntimeType* type, const JsonValue& schema, size_t depth) {
    static const JsonValue::Object& none = *new JsonValue::Object();
    const JsonValue* properties = FindObject(schema, "properties");
    const bool has_header = !type->own_fields.empty();
    for (const auto& [name, property] : properties ? properties->object() : none) {
      const bool header = name == "kind" || name == "apiVersion" || name == "metadata";
      if (has_header && header) continue;
      const size_t size = path_.size();
      path_ += '.' + name;
      TRY_VOID(AddProperty(type, schema, name, property, depth + 1));
      path_.resize(size);
    }
    if (!IsTrue(schema, "x-kubernetes-preserve-unknown-fields")) return {};
    const Slot slot = Storage<Nullable<Map<RawJson>>>(Kind::kRaw, Shape::kMap, nullptr,
                                                      &kMapOps<RawJson>, kNullable);
    return AddField(type, kUnknownKey, slot, kOmitEmpty | kUnknown, &kNoFacts);
  }

  Result<void> AddProperty(RuntimeType* type, const JsonValue& owner, const std::string& name,
                           const JsonValue& schema, size_t depth) {
    if (name.size() > UINT8_MAX) {
      return Error(Code::kUnsupported, path_ + ": a property with so long a name is not supported");
    }
    TRY(Slot slot, SlotOf(schema, depth));
    uint8_t flags =
        slot.shape == Shape::kList || slot.shape == Shape::kMap ? kOmitNull : kOmitEmpty;
    const JsonValue* required = owner.Find("required");
    if (required && required->is_array() &&
        std::ranges::find(required->array(), JsonValue::String(name)) != required->array().end()) {
      flags |= kRequired;
    }
    if (!IsPlainName(name)) flags |= kEscapedKey;
    return AddField(type, Keep('"' + name + "\":"), slot, flags, FactsOf(schema), name);
  }

  const Facts* FactsOf(const JsonValue& schema) {
    Facts& facts = arena_.facts.emplace_back();
    facts.enum_values = Keep(Joined(Texts(schema.Find("enum")), '|'));
    facts.closed_enum = facts.enum_values[0] != '\0';
    if (const JsonValue* value = schema.Find("default")) facts.default_value = Keep(ToText(*value));
    facts.list_map_keys = Keep(ListMapKeysText(Texts(schema.Find("x-kubernetes-list-map-keys"))));
    const std::string_view list = Text(schema, "x-kubernetes-list-type");
    if (list == "atomic") facts.list_type = ListType::kAtomic;
    if (list == "set") facts.list_type = ListType::kSet;
    if (list == "map") facts.list_type = ListType::kMap;
    const std::string_view map = Text(schema, "x-kubernetes-map-type");
    if (map == "atomic") facts.map_type = MapType::kAtomic;
    if (map == "granular") facts.map_type = MapType::kGranular;
    facts.struct_atomic = map == "atomic" && FindObject(schema, "properties");
    return &facts;
  }

  // How a value of the schema is held in a field.
  Result<Slot> SlotOf(const JsonValue& schema, size_t depth) {
    if (depth > options_.max_depth) {
      return Error(Code::kResourceExhausted, path_ + ": the schema is nested too deep");
    }
    if (!schema.is_object()) return Wrong("expected a schema");
    TRY(Slot slot, PlainSlot(schema, depth));
    if (slot.kind == Kind::kRaw && slot.shape == Shape::kOptional) {
      TRY(const Type* raw, RawType());
      return BoxOf(raw, kNullable);
    }
    if (!IsTrue(schema, "nullable")) return slot;
    // A box that may be empty, in a box that is there when null was written.
    TRY(const Type* value, BoxedType(slot, schema));
    TRY(const Type* nullable, Transparent(BoxOf(value), kOptionalMark));
    return BoxOf(nullable, kNullable);
  }

  // The type to put into a box for what the slot holds. What the schema says of a list or map goes
  // with it, as the box may stand in a list, of whose elements nothing else says anything.
  Result<const Type*> BoxedType(const Slot& slot, const JsonValue& schema) {
    if (slot.shape == Shape::kBox) return slot.type;
    Slot inner = slot;
    if (slot.shape == Shape::kOptional) {
      inner.shape = Shape::kScalar;
      if (slot.kind == Kind::kBool) inner.storage = &kStorageOps<bool>;
      if (slot.kind == Kind::kString) inner.storage = &kStorageOps<std::string>;
      if (slot.kind == Kind::kLeaf) {
        inner.storage = slot.type == &kRuntimeIntOrString ? &kStorageOps<RuntimeIntOrString>
                                                          : &kStorageOps<RuntimeNumber>;
      }
    }
    const bool container = slot.shape == Shape::kList || slot.shape == Shape::kMap;
    return Transparent(inner, 0, container ? FactsOf(schema) : &kNoFacts);
  }

  // The same, nullable or not.
  Result<Slot> PlainSlot(const JsonValue& schema, size_t depth) {
    const std::string_view type = Text(schema, "type");
    const bool keeps_unknown = IsTrue(schema, "x-kubernetes-preserve-unknown-fields");
    if (IsTrue(schema, "x-kubernetes-int-or-string")) {
      if (!type.empty()) return Wrong("type must be empty beside x-kubernetes-int-or-string");
      return Storage<std::optional<RuntimeIntOrString>>(Kind::kLeaf, Shape::kOptional,
                                                        &kRuntimeIntOrString);
    }
    if (type == "object") return ObjectSlot(schema, depth);
    if (type == "array") {
      const JsonValue* items = FindObject(schema, "items");
      if (!items) return Wrong("an array must have items");
      return ContainerSlot(*items, "[]", Shape::kList, depth);
    }
    if (type == "string") {
      return Storage<std::optional<std::string>>(Kind::kString, Shape::kOptional);
    }
    if (type == "boolean") return Storage<std::optional<bool>>(Kind::kBool, Shape::kOptional);
    if (type == "integer" || type == "number") {
      return Storage<std::optional<RuntimeNumber>>(
          Kind::kLeaf, Shape::kOptional, type == "integer" ? &kRuntimeInteger : &kRuntimeNumber);
    }
    if (!type.empty()) return Wrong("unknown type \"" + std::string(type) + '"');
    if (!keeps_unknown) return Wrong("a type is required");
    return Storage<std::optional<RawJson>>(Kind::kRaw, Shape::kOptional);
  }

  Result<Slot> ObjectSlot(const JsonValue& schema, size_t depth) {
    const bool keeps_unknown = IsTrue(schema, "x-kubernetes-preserve-unknown-fields");
    const bool embedded = IsTrue(schema, "x-kubernetes-embedded-resource");
    const JsonValue* properties = FindObject(schema, "properties");
    const bool has_properties = properties && !properties->object().empty();
    const JsonValue* additional = schema.Find("additionalProperties");
    if (additional && (additional->is_object() || IsTrue(schema, "additionalProperties"))) {
      if (has_properties || embedded) return Wrong("properties beside additionalProperties");
      static const JsonValue& any = *new JsonValue(JsonValue::Of(
          JsonValue::Object{{"x-kubernetes-preserve-unknown-fields", JsonValue::Bool(true)}}));
      return ContainerSlot(additional->is_object() ? *additional : any, "{}", Shape::kMap, depth);
    }
    if (keeps_unknown && !has_properties && !embedded) {
      // An object all the same: nothing else than its members is unknown.
      return Storage<Nullable<Map<RawJson>>>(Kind::kRaw, Shape::kMap, nullptr, &kMapOps<RawJson>,
                                             kNullable);
    }
    RuntimeType& type = NewType(Form::kStruct);
    if (Text(schema, "x-kubernetes-map-type") == "atomic") type.flags |= kAtomic;
    if (embedded) {
      for (const char* key : {"\"kind\":", "\"apiVersion\":"}) {
        const Slot slot = Storage<std::optional<std::string>>(Kind::kString, Shape::kOptional);
        TRY_VOID(AddField(&type, key, slot, kOmitEmpty | kRequired, &kNoFacts));
      }
      TRY_VOID(AddMetadata(&type));
    }
    TRY_VOID(AddProperties(&type, schema, depth));
    Finish(&type);
    return BoxOf(&type);
  }

  Result<Slot> ContainerSlot(const JsonValue& element, std::string_view step, Shape shape,
                             size_t depth) {
    const bool list = shape == Shape::kList;
    const size_t size = path_.size();
    path_ += step;
    TRY(const Slot slot, SlotOf(element, depth + 1));
    const bool raw = raw_ && slot.type == raw_;
    const Type* box = nullptr;
    if (!raw) {
      TRY(const Type* boxed, BoxedType(slot, element));
      // One that is not nullable ought to be there.
      const bool nullable = (slot.flags & kNullable) != 0 && slot.shape == Shape::kBox;
      TRY(box, Transparent(BoxOf(boxed, nullable ? kNullable : 0), kRequired));
    }
    path_.resize(size);
    if (raw && list) {
      return Storage<Nullable<List<RawJson>>>(Kind::kRaw, shape, nullptr, &kListOps<RawJson>,
                                              kNullable);
    }
    if (raw) {
      return Storage<Nullable<Map<RawJson>>>(Kind::kRaw, shape, nullptr, &kMapOps<RawJson>,
                                             kNullable);
    }
    if (list) {
      return Storage<Nullable<List<BoxStorage>>>(Kind::kStruct, shape, box, &kBoxListOps,
                                                 kNullable);
    }
    return Storage<Nullable<Map<BoxStorage>>>(Kind::kStruct, shape, box, &kBoxMapOps, kNullable);
  }

  RuntimeTypes::Arena& arena_;
  const RuntimeTypeOptions& options_;
  const Type* raw_ = nullptr;
  size_t fields_ = 0;
  std::string path_;  // CronTab.spec.list[]
};

Result<std::shared_ptr<const RuntimeTypes>> RuntimeTypes::FromSchema(
    const JsonValue& schema, const RuntimeTypeName& name, const RuntimeTypeOptions& options) {
  std::shared_ptr<RuntimeTypes> types(new RuntimeTypes());
  TRY(types->root_, RuntimeTypeBuilder(types.get(), options).Root(schema, name));
  return std::shared_ptr<const RuntimeTypes>(std::move(types));
}

std::vector<MissingValue> FindMissing(const Type& type, const void* object) {
  std::vector<MissingValue> missing;
  Walk(type, object, [&](const WalkPath& path, const ValueRef& value) {
    if (value.field && value.field->has(kRequired) && !value.get()) {
      missing.push_back({path.Text(), true});
      return Next::kPast;
    }
    if (!value.is_struct() || !value.get() || !value.type->has(kRuntime)) return Next::kInside;
    for (const Field& field : value.type->fields) {
      if (field.has(kRequired) && IsOmitted(field, field.at(value.get()))) {
        missing.push_back({WalkPath(&path, field.name()).Text(), false});
      }
    }
    return Next::kInside;
  });
  return missing;
}

}  // namespace podium::reflect
