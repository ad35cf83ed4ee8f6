#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>

#include "base/ascii.h"
#include "base/bulk_heap.h"
#include "base/text.h"
#include "reflect/base64.h"
#include "reflect/copy.h"
#include "reflect/enum_names.h"
#include "reflect/json.h"
#include "reflect/json_scanner.h"
#include "reflect/runtime_storage.h"
#include "reflect/unknown_members.h"

namespace podium::reflect {
namespace {

// Where the decoder is, for the path of a problem. One link for each open object or list, on the
// decoder's own stack; the path is put together only when there is a problem to name.
struct PathLink {
  const PathLink* parent;
  std::string_view name;  // the current key; empty in a list
  size_t index = 0;       // the current element
  bool in_list = false;
};

std::string PathText(const PathLink* link) {
  std::vector<const PathLink*> links;
  for (; link; link = link->parent) links.push_back(link);
  std::string out;
  for (auto at = links.rbegin(); at != links.rend(); ++at) {
    if ((*at)->in_list) {
      out += '[' + std::to_string((*at)->index) + ']';
    } else if (!(*at)->name.empty()) {  // empty between two members
      if (!out.empty()) out += '.';
      out += (*at)->name;
    }
  }
  return out;
}

// One bit for each field of a type: which keys have come already.
class SeenFields {
 public:
  explicit SeenFields(size_t count) {
    if (count > 64 * few_.size()) many_ = std::make_unique<uint64_t[]>((count + 63) / 64);
  }
  // Marks the field; true when it was marked before.
  bool Mark(size_t index) {
    uint64_t& word = (many_ ? many_.get() : few_.data())[index / 64];
    const uint64_t bit = uint64_t{1} << index % 64;
    const bool before = (word & bit) != 0;
    word |= bit;
    return before;
  }

 private:
  std::array<uint64_t, 2> few_{};
  std::unique_ptr<uint64_t[]> many_;
};

class Decoder {
 public:
  Decoder(std::string_view text, const DecodeOptions& options, std::vector<Problem>* problems)
      : scanner_(text),
        options_(options),
        problems_(problems),
        budget_(std::max<size_t>(text.size() * options.max_expansion, size_t{1} << 20)) {}

  // Both return false when decoding cannot go on.
  bool DecodeWhole(const Type& type, void* object) {
    in_runtime_type_ = type.has(kRuntime);
    return Finish(DecodeValue(Kind::kStruct, &type, nullptr, type.flags, object));
  }
  bool DecodeWholeField(const Field& field, void* target) {
    return Finish(DecodeField(field, 0, target));
  }

 private:
  bool Finish(bool ok) {
    if (ok && scanner_.ExpectEnd()) return true;
    if (scanner_.failed()) {
      problems_->push_back({scanner_.too_deep() ? Problem::Kind::kLimit : Problem::Kind::kSyntax,
                            error_path_.value_or(""), scanner_.error(), scanner_.error_offset()});
    }
    return false;
  }

  // Notes a problem; false when there are too many to go on.
  bool Report(Problem::Kind kind, size_t offset, std::string message) {
    problems_->push_back({kind, PathText(path_), std::move(message), offset});
    return problems_->size() < options_.max_problems && kind != Problem::Kind::kLimit;
  }
  bool SkipValue() { return scanner_.SkipValue(options_.max_depth - depth_); }
  // Goes one container deeper, past its opening character.
  bool Enter(PathLink* link) {
    if (depth_ >= options_.max_depth) return scanner_.FailTooDeep();
    ++depth_;
    scanner_.Advance();
    path_ = link;
    return true;
  }
  bool Leave(const PathLink& link) {
    path_ = link.parent;
    --depth_;
    return true;
  }
  // Leaves because decoding has ended; `error` is null when the scanner or a problem said why.
  bool Abandon(const PathLink& link, const char* error = nullptr) {
    if (error) scanner_.Fail(error);
    if (!error_path_) error_path_ = PathText(&link);
    path_ = link.parent;
    return false;
  }
  [[gnu::always_inline]] bool Spend(size_t bytes) {
    if (bytes <= budget_) [[likely]] {
      budget_ -= bytes;
      return true;
    }
    return Report(Problem::Kind::kLimit, scanner_.offset(), "too large when decoded");
  }

  // Skips the value that stands where `expected` should, and says so.
  bool WrongType(std::string_view expected) {
    const size_t offset = (scanner_.Peek(), scanner_.offset());
    std::string message = "expected " + std::string(expected) + ", got " + FoundForm();
    return SkipValue() && Report(Problem::Kind::kWrongType, offset, std::move(message));
  }
  const char* FoundForm() {
    switch (scanner_.Peek()) {
      case '{':
        return "an object";
      case '[':
        return "a list";
      case '"':
        return "a string";
      case 't':
      case 'f':
        return "a boolean";
      case 'n':
        return "null";
      default:
        return "a number";
    }
  }

  bool ReadString(std::string_view* text) {
    bool clean = true;
    const size_t offset = scanner_.offset();
    if (!scanner_.ReadString(text, &buffer_, &clean)) return false;
    if (clean || !options_.strict) [[likely]]
      return true;
    return Report(Problem::Kind::kInvalidUtf8, offset, "text is not UTF-8");
  }
  // Fills an empty box.
  bool MakeBox(const Field& field, void* at) {
    if (!Spend(field.type->size)) return false;
    static_cast<BoxStorage*>(at)->object = field.type->create(*field.type);
    return true;
  }
  bool ReadNull() { return scanner_.ReadWord("null"); }

  bool DecodeObject(const Type& type, void* object);
  const Field* MatchField(const Type& type, size_t expected);
  bool DecodeMember(const Type& type, void* object, size_t* expected, SeenFields* seen,
                    PathLink* link);
  bool DecodeOtherKey(const Type& type, void* object, size_t key_offset, PathLink* link,
                      const Field** field);
  bool DecodeUnknown(const Field& field, void* at, std::string_view key, size_t key_offset);
  bool DecodeAlternatives(const Type& type, void* object);
  bool DecodeField(const Field& field, uint8_t type_flags, void* at);
  bool DecodeNull(const Field& field, void* at);
  bool DecodeOptional(const Field& field, uint8_t type_flags, void* at);
  bool DecodeList(const Field& field, uint8_t type_flags, void* at);
  bool DecodeMap(const Field& field, uint8_t type_flags, void* at);
  bool DecodeValue(Kind kind, const Type* type, const Facts* facts, uint8_t type_flags, void* at);
  bool DecodeBool(bool* at);
  template <class T>
  bool DecodeInteger(uint8_t type_flags, T* at);
  bool DecodeDouble(double* at);
  bool DecodeString(char first, std::string* at);
  bool DecodeEnum(const Facts& facts, int32_t* at);
  bool DecodeBytes(Bytes* at);
  bool DecodeRaw(RawJson* at);
  bool DecodeLeaf(const Leaf& leaf, void* at);

  JsonScanner scanner_;
  const DecodeOptions& options_;
  std::vector<Problem>* problems_;
  const PathLink* path_ = nullptr;
  std::optional<std::string> error_path_;  // where decoding ended; the innermost place counts
  bool in_runtime_type_ = false;
  size_t depth_ = 0;
  size_t budget_;
  std::string buffer_;  // of the string token that was read last, when it had escapes
};

// What a map's entry takes beside its value: the node and its key.
constexpr size_t kMapNodeBytes = 96;

// The field whose key stands here to the letter, consumed; null when none does. Members often come
// in the order of declaration, so the next field is tried before the index.
const Field* Decoder::MatchField(const Type& type, size_t expected) {
  const std::string_view rest = scanner_.Rest();
  const std::span<const Field> fields = type.fields;
  auto matches = [&](const Field& field) {
    if (field.has(kEscapedKey)) [[unlikely]]
      return false;
    const size_t size = field.name_size + size_t{3};
    if (rest.size() < size || !EqualKeys(rest.data(), field.quoted, size)) return false;
    scanner_.Skip(size);
    return true;
  };
  if (expected < fields.size() && matches(fields[expected])) return &fields[expected];
  if (!type.index.slots) [[unlikely]] {
    for (const Field& field : fields) {
      if (matches(field)) return &field;
    }
    return nullptr;
  }
  const size_t size = scanner_.KeySize();
  if (size == 0) return nullptr;
  const uint8_t index = type.index.At(KeyBits(rest.data(), size));
  if (index == NameIndex::kNoField || fields[index].name_size + size_t{3} != size) return nullptr;
  return matches(fields[index]) ? &fields[index] : nullptr;
}

// A key that does not stand in the text as the descriptor has it: with an escape, with a space
// before its colon, or unknown. *field is null when the member was unknown and is dealt with.
bool Decoder::DecodeOtherKey(const Type& type, void* object, size_t key_offset, PathLink* link,
                             const Field** field) {
  std::string_view text;
  if (!ReadString(&text)) return false;
  // The key may lie in buffer_, which the next string overwrites; the link must not outlive it.
  const std::string key(text);
  if (!scanner_.Consume(':')) return scanner_.Fail("expected ':' after a key");
  *field = type.Find(key);
  if (*field) return true;
  link->name = key;
  bool go_on = false;
  if (const Field* unknown = UnknownField(type)) {
    go_on = DecodeUnknown(*unknown, unknown->at(object), key, key_offset);
  } else {
    go_on =
        (!options_.strict || Report(Problem::Kind::kUnknownField, key_offset, "unknown field")) &&
        SkipValue();
  }
  link->name = {};
  return go_on;
}

// A member that a run-time type keeps without knowing it.
bool Decoder::DecodeUnknown(const Field& field, void* at, std::string_view key, size_t key_offset) {
  bool inserted = false;
  if (!Spend(kMapNodeBytes)) return false;
  void* value = field.map().insert(at, nullptr, key, &inserted);
  if (!inserted && options_.strict &&
      !Report(Problem::Kind::kDuplicateField, key_offset, "duplicate field")) {
    return false;
  }
  return DecodeRaw(static_cast<RawJson*>(value));
}

bool Decoder::DecodeMember(const Type& type, void* object, size_t* expected, SeenFields* seen,
                           PathLink* link) {
  const size_t key_offset = scanner_.offset();
  const Field* field = MatchField(type, *expected);
  if (!field) [[unlikely]] {
    if (!DecodeOtherKey(type, object, key_offset, link, &field)) return false;
    if (!field) return true;
  }
  link->name = field->name();
  const auto index = static_cast<size_t>(field - type.fields.data());
  *expected = index + 1;
  if (seen->Mark(index) && options_.strict) [[unlikely]] {
    if (!Report(Problem::Kind::kDuplicateField, key_offset, "duplicate field")) return false;
  }
  return DecodeField(*field, type.flags, field->at(object));
}

bool Decoder::DecodeObject(const Type& type, void* object) {
  if (scanner_.Peek() != '{') [[unlikely]] {
    return scanner_.Peek() == 'n' ? ReadNull() : WrongType("an object");
  }
  PathLink link{path_, {}};
  if (!Enter(&link)) return false;
  SeenFields seen(type.fields.size());
  size_t expected = 0;
  char next = scanner_.Peek();
  while (next != '}') {
    if (next != '"') return Abandon(link, "expected a key in quotes");
    if (!DecodeMember(type, object, &expected, &seen, &link)) return Abandon(link);
    link.name = {};
    next = scanner_.Peek();
    if (next != ',') break;
    scanner_.Advance();
    next = scanner_.Peek();
    // No member may follow a comma that ends the object.
    if (next == '}') return Abandon(link, "expected a key in quotes");
  }
  if (next != '}') return Abandon(link, JsonScanner::kExpectedCommaOrEnd);
  scanner_.Advance();
  return Leave(link);
}

// The first field whose JSON begins like the text; the others keep their values, but for a boolean
// that says 'there is one' (JSONSchemaPropsOrBool.Allows).
bool Decoder::DecodeAlternatives(const Type& type, void* object) {
  const char first = scanner_.Peek();
  if (first == 'n') return ReadNull();
  std::string forms;
  for (const Field& field : type.fields) {
    const bool list = field.shape == Shape::kList;
    const bool boolean = field.kind == Kind::kBool;
    if (!forms.empty()) forms += " or ";
    forms += list ? "a list" : boolean ? "a boolean" : "an object";
    const bool fits = list ? first == '[' : boolean ? first == 't' || first == 'f' : first == '{';
    if (!fits) continue;
    for (const Field& outer : type.fields) {
      if (outer.has(kFromOuter)) *static_cast<bool*>(outer.at(object)) = true;
    }
    return DecodeField(field, type.flags, field.at(object));
  }
  return WrongType(forms);
}

bool Decoder::DecodeField(const Field& field, uint8_t type_flags, void* at) {
  const char first = scanner_.Peek();
  if (first == 'n') [[unlikely]] {
    if (!ReadNull()) return false;
    ResetField(field, at);
    return !KeepsNull(field) || MakeBox(field, at);
  }
  switch (field.shape) {
    case Shape::kScalar:
      if (field.kind == Kind::kString) [[likely]] {
        return DecodeString(first, static_cast<std::string*>(at));
      }
      return DecodeValue(field.kind, field.type, field.facts, type_flags, at);
    case Shape::kOptional:
      return DecodeOptional(field, type_flags, at);
    case Shape::kBox: {
      void*& object = static_cast<BoxStorage*>(at)->object;
      if (!object && !MakeBox(field, at)) return false;
      return DecodeValue(Kind::kStruct, field.type, nullptr, type_flags, object);
    }
    case Shape::kList:
      return DecodeList(field, type_flags, at);
    case Shape::kMap:
      return DecodeMap(field, type_flags, at);
  }
  return false;
}

bool Decoder::DecodeOptional(const Field& field, uint8_t type_flags, void* at) {
  auto decode = [&]<class T>(std::type_identity<T>) {
    auto& optional = *static_cast<std::optional<T>*>(at);
    return DecodeValue(field.kind, nullptr, field.facts, type_flags, &optional.emplace());
  };
  switch (field.kind) {
    case Kind::kBool:
      return decode(std::type_identity<bool>());
    case Kind::kInt32:
    case Kind::kEnum:
      return decode(std::type_identity<int32_t>());
    case Kind::kInt64:
      return decode(std::type_identity<int64_t>());
    case Kind::kUint32:
      return decode(std::type_identity<uint32_t>());
    case Kind::kUint64:
      return decode(std::type_identity<uint64_t>());
    case Kind::kDouble:
      return decode(std::type_identity<double>());
    case Kind::kString:
      return decode(std::type_identity<std::string>());
    case Kind::kBytes:
      return decode(std::type_identity<Bytes>());
    case Kind::kRaw:
      return decode(std::type_identity<RawJson>());
    case Kind::kLeaf:
      return DecodeLeaf(*field.type->leaf, field.type->leaf->optional_emplace(at));
    case Kind::kStruct:
      break;  // structs are boxed
  }
  return false;
}

bool Decoder::DecodeList(const Field& field, uint8_t type_flags, void* at) {
  if (scanner_.Peek() != '[') return WrongType("a list");
  const ListOps& ops = field.list();
  PathLink link{path_, {}, 0, true};
  if (!Enter(&link)) return false;
  ops.clear(at, field.type);
  if (field.has(kNullable)) *field.present(at) = true;
  if (scanner_.Consume(']')) return Leave(link);
  do {
    if (!Spend(ops.stride)) return Abandon(link);
    void* element = ops.add(at, field.type);
    if (!DecodeValue(field.kind, field.type, field.facts, type_flags, element)) {
      return Abandon(link);
    }
    ++link.index;
  } while (scanner_.Consume(','));
  if (!scanner_.Consume(']')) return Abandon(link, JsonScanner::kExpectedCommaOrEnd);
  return Leave(link);
}

bool Decoder::DecodeMap(const Field& field, uint8_t type_flags, void* at) {
  if (scanner_.Peek() != '{') return WrongType("an object");
  const MapOps& ops = field.map();
  PathLink link{path_, {}};
  if (!Enter(&link)) return false;
  ops.clear(at, field.type);
  if (field.has(kNullable)) *field.present(at) = true;
  if (scanner_.Consume('}')) return Leave(link);
  do {
    if (scanner_.Peek() != '"') return Abandon(link, "expected a key in quotes");
    const size_t key_offset = scanner_.offset();
    std::string_view text;
    if (!ReadString(&text)) return Abandon(link);
    // The text may lie in buffer_, which the value's own strings overwrite.
    const std::string key(text);
    link.name = key;
    bool inserted = false;
    if (!Spend(kMapNodeBytes)) return Abandon(link);
    void* value = ops.insert(at, field.type, key, &inserted);
    if (!scanner_.Consume(':')) return Abandon(link, "expected ':' after a key");
    if (!inserted && options_.strict &&
        !Report(Problem::Kind::kDuplicateField, key_offset, "duplicate field")) {
      return Abandon(link);
    }
    if (!DecodeValue(field.kind, field.type, field.facts, type_flags, value)) {
      return Abandon(link);
    }
    link.name = {};
  } while (scanner_.Consume(','));
  if (!scanner_.Consume('}')) return Abandon(link, JsonScanner::kExpectedCommaOrEnd);
  return Leave(link);
}

bool Decoder::DecodeValue(Kind kind, const Type* type, const Facts* facts, uint8_t type_flags,
                          void* at) {
  switch (kind) {
    case Kind::kString:
      return DecodeString(scanner_.Peek(), static_cast<std::string*>(at));
    case Kind::kStruct:
      if (type->form == Form::kStruct) [[likely]]
        return DecodeObject(*type, at);
      if (type->form == Form::kAlternatives) return DecodeAlternatives(*type, at);
      return DecodeField(type->fields[0], type_flags, type->fields[0].at(at));
    case Kind::kBool:
      return DecodeBool(static_cast<bool*>(at));
    case Kind::kInt32:
      return DecodeInteger(type_flags, static_cast<int32_t*>(at));
    case Kind::kInt64:
      return DecodeInteger(type_flags, static_cast<int64_t*>(at));
    case Kind::kUint32:
      return DecodeInteger(type_flags, static_cast<uint32_t*>(at));
    case Kind::kUint64:
      return DecodeInteger(type_flags, static_cast<uint64_t*>(at));
    case Kind::kDouble:
      return DecodeDouble(static_cast<double*>(at));
    case Kind::kEnum:
      return DecodeEnum(*facts, static_cast<int32_t*>(at));
    case Kind::kBytes:
      return DecodeBytes(static_cast<Bytes*>(at));
    case Kind::kRaw:
      return DecodeRaw(static_cast<RawJson*>(at));
    case Kind::kLeaf:
      return DecodeLeaf(*type->leaf, at);
  }
  return false;
}

// After Peek() gave `first`.
bool Decoder::DecodeString(char first, std::string* at) {
  if (first == '"') [[likely]] {
    std::string_view text;
    if (!scanner_.ReadPlainString(&text) && !ReadString(&text)) return false;
    // Cheaper than assign(), which must find out first whether `text` lies in *at.
    std::destroy_at(at);
    std::construct_at(at, text);
    return true;
  }
  // null as an element of a list or map is the zero value, as in Go.
  return first == 'n' ? ReadNull() : WrongType("a string");
}

bool Decoder::DecodeBool(bool* at) {
  const char first = scanner_.Peek();
  if (first == 'n') return ReadNull();
  if (first != 't' && first != 'f') return WrongType("a boolean");
  *at = first == 't';
  return scanner_.ReadWord(*at ? "true" : "false");
}

bool IsNumberStart(char c) { return c == '-' || IsDigit(c); }

template <class T>
bool Decoder::DecodeInteger(uint8_t type_flags, T* at) {
  const char first = scanner_.Peek();
  const size_t offset = scanner_.offset();
  std::string_view text;
  if (uint32_t small = 0; scanner_.ReadSmallNumber(&small)) [[likely]] {
    *at = static_cast<T>(small);
    return true;
  }
  if (first == 'n') return ReadNull();
  if (first == '"' && (type_flags & kProto3) != 0) {
    // protobuf's JSON form quotes 64-bit integers.
    if (!ReadString(&text)) return false;
  } else if (!IsNumberStart(first)) {
    return WrongType("an integer");
  } else if (!scanner_.ReadNumber(&text)) {
    return false;
  }
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *at);
  if (error == std::errc() && stop == text.data() + text.size()) [[likely]]
    return true;
  const bool integer = text.find_first_not_of("-0123456789") == std::string_view::npos;
  std::string message = "expected an integer, got " + std::string(text);
  if (integer && !text.empty()) {
    message = "number " + std::string(text) + " does not fit into " +
              std::to_string(sizeof(T) * 8) + (std::is_signed_v<T> ? " bits" : " unsigned bits");
  }
  return Report(Problem::Kind::kWrongType, offset, std::move(message));
}

bool Decoder::DecodeDouble(double* at) {
  const char first = scanner_.Peek();
  const size_t offset = scanner_.offset();
  if (first == 'n') return ReadNull();
  if (!IsNumberStart(first)) return WrongType("a number");
  std::string_view text;
  if (!scanner_.ReadNumber(&text)) return false;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *at);
  if (error == std::errc()) return true;
  return Report(Problem::Kind::kWrongType, offset,
                "number " + std::string(text) + " does not fit into a double");
}

bool Decoder::DecodeEnum(const Facts& facts, int32_t* at) {
  const char first = scanner_.Peek();
  const size_t offset = scanner_.offset();
  if (first == 'n') return ReadNull();
  if (IsNumberStart(first)) return DecodeInteger(0, at);
  if (first != '"') return WrongType("a name");
  std::string_view text;
  if (!ReadString(&text)) return false;
  if (const auto number = EnumNumber(facts.enum_values, text)) {
    *at = *number;
    return true;
  }
  return Report(Problem::Kind::kInvalidValue, offset, "unknown name " + std::string(text));
}

bool Decoder::DecodeBytes(Bytes* at) {
  if (scanner_.Peek() == 'n') return ReadNull();
  if (scanner_.Peek() != '"') return WrongType("a string");
  const size_t offset = scanner_.offset();
  std::string_view text;
  if (!ReadString(&text)) return false;
  at->present = true;
  if (const auto bad = DecodeBase64(text, &at->data)) {
    return Report(Problem::Kind::kInvalidValue, offset,
                  "illegal base64 data at input byte " + std::to_string(*bad));
  }
  return true;
}

bool Decoder::DecodeRaw(RawJson* at) {
  at->text.clear();
  if (scanner_.Peek() == 'n') return ReadNull();
  const size_t offset = scanner_.offset();
  if (!scanner_.CopyValue(options_.max_depth - depth_, &at->text)) return false;
  if (!in_runtime_type_) return true;
  const std::string_view number = NumberBeyondDouble(at->text);
  return number.empty() || Report(Problem::Kind::kInvalidValue, offset, BeyondDoubleText(number));
}

bool Decoder::DecodeLeaf(const Leaf& leaf, void* at) {
  const char first = scanner_.Peek();
  const size_t offset = scanner_.offset();
  JsonScalar token{JsonScalar::Form::kContainer, {}};
  bool read = true;
  if (first == '"') {
    token.form = JsonScalar::Form::kString;
    read = ReadString(&token.text);
  } else if (first == '{' || first == '[') {
    read = SkipValue();
  } else if (IsNumberStart(first)) {
    token.form = JsonScalar::Form::kNumber;
    read = scanner_.ReadNumber(&token.text);
  } else if (first == 't' || first == 'f') {
    token.form = first == 't' ? JsonScalar::Form::kTrue : JsonScalar::Form::kFalse;
    read = scanner_.ReadWord(first == 't' ? "true" : "false");
  } else {
    token.form = JsonScalar::Form::kNull;
    read = ReadNull();
  }
  if (!read) return false;
  std::string problem;
  if (leaf.from_json(token, at, &problem)) [[likely]]
    return true;
  const bool scalar = token.form != JsonScalar::Form::kContainer;
  return Report(scalar ? Problem::Kind::kInvalidValue : Problem::Kind::kWrongType, offset,
                std::move(problem));
}

}  // namespace

std::vector<Problem> DecodeJson(std::string_view json, const Type& type, void* object,
                                const DecodeOptions& options) {
  std::vector<Problem> problems;
  const BulkAllocation bulk;
  Decoder(json, options, &problems).DecodeWhole(type, object);
  return problems;
}

std::vector<Problem> DecodeJsonField(std::string_view json, const Field& field, void* target,
                                     const DecodeOptions& options) {
  std::vector<Problem> problems;
  Decoder(json, options, &problems).DecodeWholeField(field, target);
  return problems;
}

Result<void> DecodeJsonInto(std::string_view json, const Type& type, void* object,
                            const DecodeOptions& options) {
  const std::vector<Problem> problems = DecodeJson(json, type, object, options);
  if (problems.empty()) return {};
  const bool limit = problems.back().kind == Problem::Kind::kLimit;
  return Error(limit ? Code::kResourceExhausted : Code::kInvalidArgument,
               Join(problems, "\n", &Problem::Text));
}

std::string Problem::Text() const {
  if (kind == Kind::kUnknownField || kind == Kind::kDuplicateField) {
    return message + " \"" + path + '"';
  }
  return path.empty() ? message : path + ": " + message;
}

}  // namespace podium::reflect
