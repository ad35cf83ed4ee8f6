#include "support/mutate_object.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "reflect/copy.h"

namespace podium::testing {
namespace {

using namespace podium::reflect;

// Right for some field or other, or wrong in a way that rules look for.
constexpr std::array<std::string_view, 40> kWords = {
    "",
    "a",
    "b",
    "c",
    "app",
    "web-0",
    "A_b",
    "-x-",
    "example.com",
    "example.com/name",
    "kubernetes.io/hostname",
    "a/b/c",
    "/abs/path",
    "../up",
    "..data",
    "x/../y",
    "80",
    "-1",
    "1Gi",
    "25%",
    "101%",
    "http",
    "http://example.com",
    "10.0.0.1",
    "fe80::1",
    "* * * * *",
    "TZ=UTC @daily",
    "0-3,5",
    "True",
    "False",
    "Always",
    "None",
    "v1",
    "metadata.name",
    "limits.cpu",
    "a=b",
    "$(VAR)",
    "\xc3\xa9\xe2\x80\xa8",
    "iqn.2001-04.com.example:disk",
    "longer-than-sixty-three-characters-so-that-it-is-no-label-of-any-kind"};

constexpr std::array<std::string_view, 13> kLeafTexts = {"0",
                                                         "1",
                                                         "-1",
                                                         "100m",
                                                         "1Gi",
                                                         "1e9",
                                                         "25%",
                                                         "http",
                                                         "5s",
                                                         "2026-03-14T09:26:53Z",
                                                         "0s",
                                                         "3.5",
                                                         "2026-03-14T09:26:53.000000Z"};

constexpr std::array<std::string_view, 5> kRawTexts = {
    R"({})", R"([])", R"({"a":[1,null],"b":"c"})", R"("text")", "0"};

constexpr std::array<int64_t, 16> kNumbers = {0,   1,   -1,  2,   3,    10,    63,    64,
                                              100, 255, 256, 600, 3600, 65535, 65536, 100'001};

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  // Changes one field of the object, or of a part of it.
  void Object(const Type& type, void* object) {
    // Of alternatives one must be right, and some types are empty.
    if (type.form == Form::kAlternatives) return;
    std::vector<const Field*> fields;
    for (const Field& field : type.fields) {
      if (type.has(kRootKind) && (field.name() == "kind" || field.name() == "apiVersion")) continue;
      fields.push_back(&field);
    }
    if (fields.empty()) return;
    // Most changes are to what is there: the rest of a volume is its thirty other sources.
    std::vector<const Field*> set = fields;
    std::erase_if(set, [&](const Field* field) { return IsZeroField(*field, field->at(object)); });
    const auto& from = set.empty() || Chance(0.25) ? fields : set;
    const Field& field = *from[Below(from.size())];
    ++depth_;
    Change(field, field.at(object));
    --depth_;
  }

 private:
  bool Chance(double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }
  size_t Below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }
  template <size_t size>
  std::string_view OneOf(const std::array<std::string_view, size>& texts) {
    return texts[Below(size)];
  }

  void Change(const Field& field, void* at) {
    switch (field.shape) {
      case Shape::kScalar:
        return Value(field, at);
      case Shape::kOptional:
        return Optional(field, at);
      case Shape::kBox:
        return Box(field, static_cast<BoxStorage*>(at));
      case Shape::kList:
        return List(field, at);
      case Shape::kMap:
        return Map(field, at);
    }
  }

  void Box(const Field& field, BoxStorage* box) {
    if (!box->object) {
      if (depth_ > kMaxDepth) return;
      box->object = field.type->create(*field.type);
      // Where there is something to say, say it.
      for (int i = 0; i < 3; ++i) Object(*field.type, box->object);
    } else if (Chance(0.2)) {
      field.type->destroy(*field.type, box->object);
      box->object = nullptr;
    } else {
      Object(*field.type, box->object);
    }
  }

  void List(const Field& field, void* at) {
    const ListOps& list = field.list();
    const size_t size = list.size(at);
    const auto element = [&](size_t i) {
      return static_cast<char*>(list.data(at)) + i * list.stride;
    };
    if (size == 0 || Chance(0.15)) {
      Value(field, list.add(at, field.type));
    } else if (Chance(0.15)) {
      Erase(field, at, Below(size));
    } else if (field.kind == Kind::kStruct && Chance(0.2)) {
      // Twins collide in names, ports and paths.
      list.add(at, field.type);
      CopyObject(*field.type, element(Below(size)), element(size));
    } else {
      Value(field, element(Below(size)));
    }
  }

  // Of structs any one; of others what stands behind `index` as well.
  void Erase(const Field& field, void* at, size_t index) {
    const ListOps& list = field.list();
    std::vector<AnyObject> behind;
    if (field.kind == Kind::kStruct) {
      for (size_t i = index + 1; i < list.size(at); ++i) {
        const void* element = static_cast<char*>(list.data(at)) + i * list.stride;
        behind.emplace_back(*field.type, NewCopy(*field.type, element));
      }
    }
    list.resize(at, field.type, index);
    for (const AnyObject& object : behind) {
      CopyObject(*field.type, object.get(), list.add(at, field.type));
    }
  }

  void Map(const Field& field, void* at) {
    const MapOps& map = field.map();
    std::vector<std::string> keys;
    map.each(at, false, &keys, [](void* context, const std::string& key, void*) {
      static_cast<std::vector<std::string>*>(context)->push_back(key);
      return true;
    });
    if (!keys.empty() && Chance(0.3)) {
      map.erase(at, field.type, keys[Below(keys.size())]);
      return;
    }
    bool inserted = false;
    const std::string key =
        keys.empty() || Chance(0.5) ? std::string(OneOf(kWords)) : keys[Below(keys.size())];
    Value(field, map.insert(at, field.type, key, &inserted));
  }

  void Optional(const Field& field, void* at) {
    const bool reset = Chance(0.2);
    const auto change = [&]<class T>(std::type_identity<T>) {
      auto* optional = static_cast<std::optional<T>*>(at);
      if (reset) {
        optional->reset();
      } else {
        Value(field, &optional->emplace());
      }
    };
    switch (field.kind) {
      case Kind::kBool:
        return change(std::type_identity<bool>());
      case Kind::kInt32:
      case Kind::kEnum:
        return change(std::type_identity<int32_t>());
      case Kind::kInt64:
        return change(std::type_identity<int64_t>());
      case Kind::kUint32:
        return change(std::type_identity<uint32_t>());
      case Kind::kUint64:
        return change(std::type_identity<uint64_t>());
      case Kind::kDouble:
        return change(std::type_identity<double>());
      case Kind::kString:
        return change(std::type_identity<std::string>());
      case Kind::kBytes:
        return change(std::type_identity<Bytes>());
      case Kind::kRaw:
        return change(std::type_identity<RawJson>());
      case Kind::kLeaf:
        if (reset) return field.type->leaf->optional_reset(at);
        return LeafValue(*field.type->leaf, field.type->leaf->optional_emplace(at));
      case Kind::kStruct:
        break;
    }
    std::abort();  // structs are boxed
  }

  std::string Text(const Field& field) {
    const std::string_view known = field.facts->enum_values;
    if (!known.empty() && Chance(0.8)) {
      size_t choice = Below(static_cast<size_t>(std::ranges::count(known, '|')) + 1);
      size_t start = 0;
      for (; choice > 0; --choice) start = known.find('|', start) + 1;
      return std::string(known.substr(start, known.find('|', start) - start));
    }
    return std::string(OneOf(kWords));
  }

  template <class T>
  void Number(void* at) {
    *static_cast<T*>(at) = Chance(0.1) ? std::numeric_limits<T>::max()
                                       : static_cast<T>(kNumbers[Below(kNumbers.size())]);
  }

  void Value(const Field& field, void* at) {
    switch (field.kind) {
      case Kind::kBool:
        *static_cast<bool*>(at) = Chance(0.5);
        break;
      case Kind::kInt32:
        return Number<int32_t>(at);
      case Kind::kInt64:
        return Number<int64_t>(at);
      case Kind::kUint32:
        return Number<uint32_t>(at);
      case Kind::kUint64:
        return Number<uint64_t>(at);
      case Kind::kEnum:
        // Zero is a name of every enum.
        *static_cast<int32_t*>(at) = 0;
        break;
      case Kind::kDouble:
        return Number<double>(at);
      case Kind::kString:
        *static_cast<std::string*>(at) = Text(field);
        break;
      case Kind::kBytes:
        static_cast<Bytes*>(at)->data = Text(field);
        static_cast<Bytes*>(at)->present = true;
        break;
      case Kind::kRaw:
        static_cast<RawJson*>(at)->text = OneOf(kRawTexts);
        break;
      case Kind::kLeaf:
        return LeafValue(*field.type->leaf, at);
      case Kind::kStruct:
        Object(*field.type, at);
        break;
    }
  }

  // Tries texts until the leaf reads one.
  void LeafValue(const Leaf& leaf, void* at) {
    const size_t first = Below(kLeafTexts.size());
    for (size_t i = 0; i < kLeafTexts.size(); ++i) {
      std::string problem;
      const std::string_view text = kLeafTexts[(first + i) % kLeafTexts.size()];
      const bool number = text == "0" || text == "1" || text == "-1";
      const JsonScalar token{number ? JsonScalar::Form::kNumber : JsonScalar::Form::kString, text};
      if (leaf.from_json(token, at, &problem)) return;
    }
    std::abort();  // a leaf that none of the texts suits
  }

  // New parts below this get no parts of their own: schemas of custom resources have no end.
  static constexpr int kMaxDepth = 12;

  std::mt19937_64 random_;
  int depth_ = 0;
};

}  // namespace

void MutateObject(const reflect::Type& type, void* object, const MutateOptions& options) {
  Mutator mutator(options.seed);
  for (int i = 0; i < options.changes; ++i) mutator.Object(type, object);
}

}  // namespace podium::testing
