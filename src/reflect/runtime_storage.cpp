#include "reflect/runtime_storage.h"

#include <algorithm>
#include <cmath>

#include "reflect/copy.h"
#include "reflect/json.h"
#include "reflect/ops.h"

namespace podium::reflect {
namespace {

using TokenForm = JsonScalar::Form;

std::string_view FormName(TokenForm form) {
  switch (form) {
    case TokenForm::kNull:
      return "null";
    case TokenForm::kFalse:
    case TokenForm::kTrue:
      return "a boolean";
    case TokenForm::kNumber:
      return "a number";
    case TokenForm::kString:
      return "a string";
    case TokenForm::kContainer:
      break;
  }
  return "an object or a list";
}

bool ReadNumber(const JsonScalar& token, bool whole, std::string_view expected,
                RuntimeNumber* value, std::string* problem) {
  const std::string wanted = "expected " + std::string(expected) + ", got ";
  if (token.form != TokenForm::kNumber) {
    *problem = wanted + std::string(FormName(token.form));
    return false;
  }
  value->number = ReadJsonNumber(token.text);
  const Number& number = value->number;
  if (!number.is_integer && !std::isfinite(number.floating)) {
    *problem = BeyondDoubleText(token.text);
    return false;
  }
  // 1.0 and 1e3 are whole numbers to JSON schema.
  if (whole && !number.is_integer && number.floating != std::trunc(number.floating)) {
    *problem = wanted + std::string(token.text);
    return false;
  }
  return true;
}

void AppendNumber(const RuntimeNumber& value, std::string* out) {
  if (value.number.is_integer) {
    *out += std::to_string(value.number.integer);
  } else {
    AppendFloatJson(value.number.floating, out);
  }
}

template <bool whole>
constexpr Leaf MakeNumberLeaf() {
  Leaf leaf = MakeLeaf<RuntimeNumber>();
  leaf.quoted = false;
  leaf.description = whole ? "a whole number" : "a number";
  leaf.from_json = [](const JsonScalar& token, void* value, std::string* problem) {
    return ReadNumber(token, whole, whole ? "an integer" : "a number",
                      static_cast<RuntimeNumber*>(value), problem);
  };
  leaf.to_json = [](const void* value, std::string* out) {
    AppendNumber(*static_cast<const RuntimeNumber*>(value), out);
  };
  return leaf;
}

constexpr Leaf kIntegerLeaf = MakeNumberLeaf<true>();
constexpr Leaf kNumberLeaf = MakeNumberLeaf<false>();

constexpr Leaf kIntOrStringLeaf = [] {
  Leaf leaf = MakeLeaf<RuntimeIntOrString>();
  leaf.quoted = false;
  leaf.description = "a whole number or a string";
  leaf.from_json = [](const JsonScalar& token, void* value, std::string* problem) {
    auto& result = *static_cast<RuntimeIntOrString*>(value);
    result.is_string = token.form == TokenForm::kString;
    if (result.is_string) {
      result.text = token.text;
      return true;
    }
    return ReadNumber(token, true, "an integer or a string", &result.number, problem);
  };
  leaf.to_json = [](const void* value, std::string* out) {
    const auto& from = *static_cast<const RuntimeIntOrString*>(value);
    if (from.is_string) {
      AppendJsonString(from.text, out);
    } else {
      AppendNumber(from.number, out);
    }
  };
  return leaf;
}();

constexpr Package kNoPackage{"", "", "", ""};

constexpr Type LeafType(const char* name, const Leaf& leaf) {
  return Type{.name = name,
              .package = &kNoPackage,
              .fields = {},
              .proto_rows = {},
              .leaf = &leaf,
              .create = nullptr,
              .destroy = nullptr,
              .size = leaf.size,
              .form = Form::kLeaf,
              .flags = kRuntime | kNoProto};
}

using BoxList = List<BoxStorage>;
using BoxMap = Map<BoxStorage>;

void DestroyBox(BoxStorage* box, const Type* element) {
  const Type& type = *element->fields[0].type;
  if (box->object) type.destroy(type, box->object);
  box->object = nullptr;
}

void ResizeBoxes(void* list, const Type* element, size_t size) {
  BoxList& boxes = *static_cast<BoxList*>(list);
  for (size_t i = size; i < boxes.size(); ++i) DestroyBox(&boxes[i], element);
  boxes.resize(size);
}

}  // namespace

constinit const Type kRuntimeInteger = LeafType("integer", kIntegerLeaf);
constinit const Type kRuntimeNumber = LeafType("number", kNumberLeaf);
constinit const Type kRuntimeIntOrString = LeafType("int-or-string", kIntOrStringLeaf);

constinit const ListOps kBoxListOps{.stride = sizeof(BoxStorage), .resize = &ResizeBoxes};

constinit const MapOps kBoxMapOps = [] {
  MapOps ops = detail::MakeMapOps<BoxStorage>();
  ops.erase = [](void* map, const Type* element, std::string_view key) {
    BoxMap& boxes = *static_cast<BoxMap*>(map);
    const auto found = boxes.find(key);
    if (found == boxes.end()) return;
    DestroyBox(&found->second, element);
    boxes.erase(found);
  };
  ops.clear = [](void* map, const Type* element) {
    BoxMap& boxes = *static_cast<BoxMap*>(map);
    for (auto& [key, box] : boxes) DestroyBox(&box, element);
    boxes.clear();
  };
  return ops;
}();

void* CreateRuntimeObject(const Type& type) {
  const auto& runtime = static_cast<const RuntimeType&>(type);
  void* object = ::operator new(std::max<size_t>(type.size, 1));
  for (size_t i = 0; i < runtime.storage.size(); ++i) {
    runtime.storage[i]->construct(runtime.own_fields[i].at(object));
  }
  return object;
}

void DestroyRuntimeObject(const Type& type, void* object) {
  const auto& runtime = static_cast<const RuntimeType&>(type);
  for (size_t i = 0; i < runtime.storage.size(); ++i) {
    const Field& field = runtime.own_fields[i];
    ResetField(field, field.at(object));
    runtime.storage[i]->destroy(field.at(object));
  }
  ::operator delete(object);
}

std::string_view NumberBeyondDouble(std::string_view json) {
  constexpr std::string_view kNumber = "+-.0123456789Ee";
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"') {
      for (++i; json[i] != '"'; ++i) {
        if (json[i] == '\\') ++i;
      }
    } else if (json[i] == '-' || (json[i] >= '0' && json[i] <= '9')) {
      const size_t end = std::min(json.find_first_not_of(kNumber, i), json.size());
      const std::string_view text = json.substr(i, end - i);
      const Number number = ReadJsonNumber(text);
      if (!number.is_integer && !std::isfinite(number.floating)) return text;
      i = end - 1;
    }
  }
  return {};
}

std::string BeyondDoubleText(std::string_view number) {
  return "number " + std::string(number) + " does not fit into a double";
}

}  // namespace podium::reflect
