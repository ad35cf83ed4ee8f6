#include "support/protoc.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reflect/protobuf.h"
#include "support/random_object.h"

namespace podium::testing {
namespace {

namespace fs = std::filesystem;
using reflect::AnyObject;
using reflect::Field;
using reflect::Kind;
using reflect::ProtoRow;
using reflect::Shape;
using reflect::Type;

// Messages of leaves and raw JSON, as upstream's .proto files declare them.
constexpr std::string_view kLeafMessages =
    "message Quantity { optional string f1 = 1; }\n"
    "message Time { optional int64 f1 = 1; optional int32 f2 = 2; }\n"
    "message MicroTime { optional int64 f1 = 1; optional int32 f2 = 2; }\n"
    "message Duration { optional int64 f1 = 1; }\n"
    "message IntOrString { optional int64 f1 = 1; optional int32 f2 = 2; optional string f3 = 3; "
    "}\n"
    "message Raw { optional bytes f1 = 1; }\n";

// Writes the types as a .proto file. Message number i is Mi; field number n is fn.
class ProtoFile {
 public:
  ProtoFile(std::span<const Type* const> types, bool proto3) : proto3_(proto3) {
    out_ = proto3 ? "syntax = \"proto3\";\n" : "syntax = \"proto2\";\n";
    out_ += kLeafMessages;
    for (const Type* type : types) Index(*type);
    // Types of other tables are met on the way.
    for (size_t i = 0; i < order_.size(); ++i) {
      out_ += "message M" + std::to_string(i) + " {\n";
      Rows(*order_[i], order_[i]->proto_rows);
      out_ += "}\n";
    }
    out_ += "message All {\n";
    for (size_t i = 0; i < types.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      out_ += "repeated M" + std::to_string(i) + " f" + number + " = " + number + ";\n";
    }
    out_ += "}\n";
  }

  const std::string& text() const { return out_; }

 private:
  size_t Index(const Type& type) {
    const auto [at, added] = indexes_.try_emplace(&type, order_.size());
    if (added) order_.push_back(&type);
    return at->second;
  }

  void Rows(const Type& type, std::span<const ProtoRow> rows) {
    for (const ProtoRow& row : rows) {
      const std::string number = std::to_string(row.number);
      if (row.is_group()) {
        out_ += "message G" + number + " {\n";
        Rows(type, row.rows());
        out_ += "}\noptional G" + number + " f" + number + " = " + number + ";\n";
      } else {
        Row(type.fields[row.field], number);
      }
    }
  }

  void Row(const Field& field, const std::string& number) {
    const std::string name = TypeName(field, number);
    if (field.shape == Shape::kMap) {
      out_ += "map<string, " + name + ">";
    } else {
      // proto3 without a word: a scalar that is left out when zero.
      const bool plain = proto3_ && field.shape == Shape::kScalar;
      out_ += (field.shape == Shape::kList ? "repeated " : plain ? "" : "optional ") + name;
    }
    out_ += " f" + number + " = " + number + ";\n";
  }

  std::string TypeName(const Field& field, const std::string& number) {
    switch (field.kind) {
      case Kind::kBool:
        return "bool";
      case Kind::kInt32:
        return "int32";
      case Kind::kInt64:
        return "int64";
      case Kind::kUint32:
        return "uint32";
      case Kind::kUint64:
        return "uint64";
      case Kind::kDouble:
        return "double";
      case Kind::kString:
        return "string";
      case Kind::kBytes:
        return "bytes";
      case Kind::kRaw:
        return "Raw";
      case Kind::kLeaf:
        return field.type->name;
      case Kind::kStruct:
        return "M" + std::to_string(Index(*field.type));
      case Kind::kEnum:
        return Enum(field.facts->enum_values, number);
    }
    return {};
  }

  // "NAME=0 OTHER=1" as an enum of the message.
  std::string Enum(std::string_view values, const std::string& number) {
    out_ += "enum E" + number + " {\n";
    while (!values.empty()) {
      const size_t end = std::min(values.find(' '), values.size());
      const std::string_view value = values.substr(0, end);
      out_.append(value.substr(0, value.find('='))).append(number + "_");
      out_.append(value.substr(value.find('='))) += ";\n";
      values.remove_prefix(std::min(end + 1, values.size()));
    }
    out_ += "}\n";
    return "E" + number;
  }

  bool proto3_;
  std::string out_;
  std::map<const Type*, size_t> indexes_;
  std::vector<const Type*> order_;
};

void WriteFile(const fs::path& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  ASSERT_TRUE(out.flush().good()) << path;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// protoc in `folder` with standard input and output from and to files there; false and its words on
// failure.
::testing::AssertionResult RunProtoc(const fs::path& folder, const std::string& action,
                                     const std::string& input, const std::string& output) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const std::string in = folder / input;
  const std::string out = folder / output;
  const std::string errors = folder / "errors";
  constexpr int kOutput = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), kOutput, 0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, errors.c_str(), kOutput, 0600);
  std::vector<std::string> words = {"protoc", "--proto_path=" + folder.string(),
                                    "--" + action + "=All", "all.proto"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int spawned = posix_spawnp(&child, "protoc", &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (spawned != 0) return ::testing::AssertionFailure() << "protoc does not start";
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    return ::testing::AssertionFailure() << action << ": " << ReadFile(errors);
  }
  return ::testing::AssertionSuccess();
}

// A field of the message All.
struct Part {
  size_t type;  // index
  std::string bytes;
};

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) *out += static_cast<char>(value | 0x80);
  *out += static_cast<char>(value);
}

uint64_t TakeVarint(std::string_view* bytes) {
  uint64_t value = 0;
  for (int shift = 0; !bytes->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes->front());
    bytes->remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) break;
  }
  return value;
}

std::string Join(const std::vector<Part>& parts) {
  std::string all;
  for (const Part& part : parts) {
    AppendVarint((part.type + 1) << 3 | 2, &all);
    AppendVarint(part.bytes.size(), &all);
    all += part.bytes;
  }
  return all;
}

std::vector<Part> Split(std::string_view all) {
  std::vector<Part> parts;
  while (!all.empty()) {
    const size_t type = (TakeVarint(&all) >> 3) - 1;
    const size_t size = TakeVarint(&all);
    parts.push_back({type, std::string(all.substr(0, size))});
    all.remove_prefix(std::min(size, all.size()));
  }
  return parts;
}

std::string Encode(const Type& type, const void* object) {
  std::string bytes;
  const auto result = reflect::EncodeProtobuf(type, object, &bytes);
  EXPECT_TRUE(result.ok()) << type.name << ": " << result.error().message();
  return bytes;
}

}  // namespace

void ExpectProtocAgrees(std::span<const Type* const> types, bool proto3, int rounds) {
  std::string folder_template = fs::temp_directory_path() / "podium-protoc.XXXXXX";
  ASSERT_NE(mkdtemp(folder_template.data()), nullptr);
  const fs::path folder = folder_template;
  WriteFile(folder / "all.proto", ProtoFile(types, proto3).text());

  std::vector<Part> sent;
  for (size_t i = 0; i < types.size(); ++i) {
    for (int round = 0; round < rounds; ++round) {
      AnyObject object(*types[i]);
      FillRandom(*types[i], object.get(),
                 {.seed = static_cast<uint64_t>(round), .fill = 0.7, .for_protobuf = true});
      sent.push_back({i, Encode(*types[i], object.get())});
    }
  }
  WriteFile(folder / "sent", Join(sent));
  ASSERT_TRUE(RunProtoc(folder, "decode", "sent", "text"));
  ASSERT_TRUE(RunProtoc(folder, "encode", "text", "back"));

  const std::vector<Part> back = Split(ReadFile(folder / "back"));
  ASSERT_EQ(back.size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    const Type& type = *types[sent[i].type];
    ASSERT_EQ(back[i].type, sent[i].type);
    AnyObject object(type);
    const auto decoded = reflect::DecodeProtobuf(back[i].bytes, type, object.get());
    ASSERT_TRUE(decoded.ok()) << type.name << ": " << decoded.error().message();
    EXPECT_EQ(Encode(type, object.get()), sent[i].bytes) << type.name;
  }
  fs::remove_all(folder);
}

}  // namespace podium::testing
