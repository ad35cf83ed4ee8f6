#include "cli/object_printer.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/input.h"
#include "cli/json_members.h"
#include "cli/table_text.h"
#include "cli/text.h"
#include "reflect/go_text.h"
#include "reflect/json_path.h"
#include "reflect/yaml.h"

namespace podium::cli {
namespace {

using reflect::JsonPath;
using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

bool IsList(const JsonValue& object) {
  const JsonValue* items = object.Find("items");
  return items && items->is_array() && TextOf(object, "kind").ends_with("List");
}

void EraseManagedFields(JsonValue* object) {
  JsonValue* metadata = object->Find("metadata");
  if (metadata && metadata->is_object()) (void)metadata->Erase("managedFields");
  if (!IsList(*object)) return;
  for (JsonValue& item : object->Find("items")->array()) {
    JsonValue* its = item.Find("metadata");
    if (its && its->is_object()) (void)its->Erase("managedFields");
  }
}

// JSON, or YAML with a line between documents.
class TreePrinter : public ObjectPrinter {
 public:
  TreePrinter(bool yaml, const PrinterOptions& options)
      : yaml_(yaml),
        managed_fields_(options.show_managed_fields),
        sorted_(options.order == MemberOrder::kSorted) {}

  Result<void> Print(const JsonValue& object, std::string* out) override {
    JsonValue shown = object;
    if (!managed_fields_) EraseManagedFields(&shown);
    if (!yaml_) {
      reflect::PrintJson(shown, {.indent = 4, .sort_keys = sorted_, .canonical_numbers = true},
                         out);
      *out += '\n';
      return {};
    }
    if (std::exchange(printed_, true)) *out += "---\n";
    reflect::WriteYaml(shown, out);
    return {};
  }

 private:
  const bool yaml_;
  const bool managed_fields_;
  const bool sorted_;
  bool printed_ = false;
};

// "pod/web"
class NamePrinter : public ObjectPrinter {
 public:
  bool takes_lists() const override { return false; }

  Result<void> Print(const JsonValue& object, std::string* out) override {
    if (IsList(object)) {
      for (const JsonValue& item : ElementsOf(object, "items")) TRY_VOID(Print(item, out));
      return {};
    }
    std::string kind = LowerCase(TextOf(object, "kind"));
    const std::string_view version = TextOf(object, "apiVersion");
    if (kind.empty()) kind = "<unknown>";
    const size_t slash = version.find('/');
    if (slash != version.npos) kind.append(".").append(version.substr(0, slash));
    std::string_view name = TextAt(object, {"metadata", "name"});
    if (name.empty()) name = "<unknown>";
    *out += EscapedText(kind + "/" + std::string(name)) + '\n';
    return {};
  }
};

class PathPrinter : public ObjectPrinter {
 public:
  PathPrinter(JsonPath path, std::string text, bool as_json, bool allow_missing)
      : path_(std::move(path)),
        text_(std::move(text)),
        as_json_(as_json),
        allow_missing_(allow_missing) {}

  Result<void> Print(const JsonValue& object, std::string* out) override {
    std::string found;
    const reflect::JsonPathOptions options = {.allow_missing_keys = allow_missing_};
    const auto done = as_json_ ? path_.ExecuteAsJson(object, &found, options)
                               : path_.Execute(object, &found, options);
    if (!done.ok()) {
      return Usage("error executing jsonpath " + reflect::GoQuoted(text_) +
                   ": Error executing template: " + done.error().message() +
                   ". The object given to it is what -o json prints.");
    }
    // For scripts it is what it is; a terminal is not steered by it.
    *out += isatty(STDOUT_FILENO) != 0 ? Printable(found, true) : found;
    return {};
  }

 private:
  const JsonPath path_;
  const std::string text_;
  const bool as_json_;
  const bool allow_missing_;
};

class ColumnPrinter : public ObjectPrinter {
 public:
  struct Column {
    std::string heading;
    JsonPath path;
  };
  ColumnPrinter(std::vector<Column> columns, bool headings)
      : columns_(std::move(columns)), headings_(headings) {}

  Result<void> Print(const JsonValue& object, std::string* out) override {
    if (std::exchange(headings_, false)) {
      std::vector<std::string> cells;
      cells.reserve(columns_.size());
      for (const Column& column : columns_) cells.push_back(EscapedText(column.heading));
      table_.AddRow(std::move(cells));
    }
    if (IsList(object)) {
      for (const JsonValue& item : ElementsOf(object, "items")) TRY_VOID(AddRow(item));
    } else {
      TRY_VOID(AddRow(object));
    }
    table_.Flush(out);
    return {};
  }

 private:
  Result<void> AddRow(const JsonValue& object) {
    std::vector<std::string> cells;
    for (const Column& column : columns_) {
      TRY(const std::string cell, column.path.Cell(object));
      cells.push_back(EscapedText(cell));
    }
    table_.AddRow(std::move(cells));
    return {};
  }

  const std::vector<Column> columns_;
  bool headings_;
  TableText table_;
};

using PrinterResult = Result<std::unique_ptr<ObjectPrinter>>;

PrinterResult ColumnsOf(const std::vector<std::pair<std::string, std::string>>& specs,
                        bool headings) {
  std::vector<ColumnPrinter::Column> columns;
  for (const auto& [heading, expression] : specs) {
    TRY(const std::string relaxed, reflect::RelaxedJsonPath(expression));
    TRY(JsonPath path, JsonPath::Parse(relaxed));
    columns.push_back({heading, std::move(path)});
  }
  return std::unique_ptr<ObjectPrinter>(
      std::make_unique<ColumnPrinter>(std::move(columns), headings));
}

// NAME:.metadata.name,…
PrinterResult ColumnsOfText(std::string_view text, bool headings) {
  if (text.empty()) return Usage("custom-columns format specified but no custom columns given");
  std::vector<std::pair<std::string, std::string>> specs;
  for (const std::string_view part : Split(text, ',')) {
    const size_t colon = part.find(':');
    if (colon == part.npos || colon == 0 || colon + 1 == part.size()) {
      return Usage("unexpected custom-columns spec: " + std::string(part) +
                   ", expected <header>:<json-path-expr>");
    }
    specs.emplace_back(part.substr(0, colon), part.substr(colon + 1));
  }
  return ColumnsOf(specs, headings);
}

// A line of headings, and below it a line of paths.
PrinterResult ColumnsOfFile(const std::string& name, bool headings) {
  if (name.empty()) {
    return Usage("custom-columns-file format specified but no custom columns file given");
  }
  auto text = ReadInput(name);
  if (!text.ok()) {
    return Usage("error reading template " + name + ", " + text.error().message());
  }
  const auto lines = Words(*text, "\r\n");
  const auto names = lines.empty() ? lines : Words(lines[0], " \t");
  const auto paths = lines.size() < 2 ? lines : Words(lines[1], " \t");
  if (lines.size() < 2 || names.size() != paths.size()) {
    return Usage(name + ": needs a line of headings, and below it a path for each of them");
  }
  std::vector<std::pair<std::string, std::string>> specs;
  specs.reserve(names.size());
  for (size_t i = 0; i < names.size(); ++i) specs.emplace_back(names[i], paths[i]);
  return ColumnsOf(specs, headings);
}

PrinterResult PathOf(std::string_view form, std::string text, bool allow_missing) {
  const bool file = form == "jsonpath-file";
  if (text.empty()) return Usage("template format specified but no template given");
  if (file) {
    auto read = ReadInput(text);
    if (!read.ok()) {
      return Usage("error reading --template " + text + ", " + read.error().message());
    }
    text = *std::move(read);
  }
  auto path = JsonPath::Parse(text);
  if (!path.ok()) return Usage("error parsing jsonpath " + text + ", " + path.error().message());
  return std::unique_ptr<ObjectPrinter>(std::make_unique<PathPrinter>(
      *std::move(path), text, form == "jsonpath-as-json", allow_missing));
}

constexpr std::string_view kForms =
    "custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,wide,"
    "yaml";

}  // namespace

PrinterResult PrinterOf(std::string_view form, const PrinterOptions& options) {
  const size_t equals = form.find('=');
  const std::string_view name = form.substr(0, equals);
  std::string argument(equals == form.npos ? options.template_ : form.substr(equals + 1));
  if (name.empty() && !options.template_.empty()) {
    return Error(Code::kUnsupported,
                 "go templates are not supported; use --template with -o jsonpath");
  }
  if (name.empty() || name == "wide") return std::unique_ptr<ObjectPrinter>();
  if (name == "json" || name == "yaml") {
    return std::unique_ptr<ObjectPrinter>(std::make_unique<TreePrinter>(name == "yaml", options));
  }
  if (name == "name") return std::unique_ptr<ObjectPrinter>(std::make_unique<NamePrinter>());
  if (name == "custom-columns") return ColumnsOfText(argument, options.headings);
  if (name == "custom-columns-file") return ColumnsOfFile(argument, options.headings);
  if (name.starts_with("jsonpath") &&
      (name == "jsonpath" || name == "jsonpath-as-json" || name == "jsonpath-file")) {
    return PathOf(name, std::move(argument), options.allow_missing_keys);
  }
  if (name == "go-template" || name == "go-template-file" || name == "template" ||
      name == "templatefile") {
    return Error(Code::kUnsupported,
                 "go templates are not supported; -o jsonpath=... and -o custom-columns=... are, "
                 "and -o json for other tools");
  }
  return Usage("unable to match a printer suitable for the output format " +
               reflect::GoQuoted(form) + ", allowed formats are: " + std::string(kForms));
}

PrinterResult PrinterOf(const Invocation& invocation, MemberOrder order) {
  return PrinterOf(
      invocation.Get("output"),
      {.show_managed_fields = invocation.Has("show-managed-fields"),
       .headings = !invocation.Has("no-headers"),
       .template_ = invocation.Get("template"),
       .allow_missing_keys = invocation.Get("allow-missing-template-keys", "true") == "true",
       .order = order});
}

}  // namespace podium::cli
