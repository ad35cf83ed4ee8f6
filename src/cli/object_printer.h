// Objects as -o prints them, but for tables: JSON, YAML, names, and what templates find in them
// (upstream's k8s.io/cli-runtime/pkg/printers).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command.h"
#include "reflect/json_value.h"

namespace podium::cli {

// The forms that take objects: json, yaml, name, jsonpath[-as-json|-file], custom-columns[-file].
inline constexpr Option kOutputOption = {
    .name = "output",
    .letter = 'o',
    .value = "FORM",
    .help =
        "json, yaml, name, wide, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, "
        "jsonpath-file=FILE, custom-columns=NAME:PATH,..., custom-columns-file=FILE"};
// Of commands that change something.
inline constexpr Option kChangedOutputOption = {
    .name = "output",
    .letter = 'o',
    .value = "FORM",
    .help = "json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE, jsonpath-file=FILE"};
inline constexpr Option kShowManagedFieldsOption = {
    .name = "show-managed-fields", .help = "metadata.managedFields too, in JSON and YAML"};
inline constexpr Option kTemplateOption = {
    .name = "template",
    .value = "TEMPLATE",
    .help = "what -o jsonpath or jsonpath-file takes behind its '='"};

inline constexpr Option kAllowMissingKeysOption = {
    .name = "allow-missing-template-keys",
    .value = "BOOL",
    .help = "false: what a template of -o jsonpath does not find is an error; true if not given",
    .values = Values::kWords,
    .words = "true false",
    .implied = "true"};

class ObjectPrinter {
 public:
  virtual ~ObjectPrinter() = default;
  // Appends one object, or one list; each call begins anew, but for headings.
  virtual Result<void> Print(const reflect::JsonValue& object, std::string* out) = 0;
  // Whether it takes a list as a whole, rather than its items.
  virtual bool takes_lists() const { return true; }
};

// Members of JSON: by their names, as upstream prints what it has no type for, or as they stand.
enum class MemberOrder { kSorted, kAsTheyStand };

struct PrinterOptions {
  bool show_managed_fields = false;
  bool headings = true;
  std::string_view template_ = {};
  bool allow_missing_keys = true;  // of jsonpath
  MemberOrder order = MemberOrder::kSorted;
};

// The printer of a form such as "yaml" or "jsonpath={.metadata.name}". null for "", "wide", which
// are tables. kInvalidArgument with kubectl's message, kUnsupported for go-template.
Result<std::unique_ptr<ObjectPrinter>> PrinterOf(std::string_view form,
                                                 const PrinterOptions& options);
// With --output, --template, --show-managed-fields and --no-headers of the command.
Result<std::unique_ptr<ObjectPrinter>> PrinterOf(const Invocation& invocation,
                                                 MemberOrder order = MemberOrder::kSorted);

}  // namespace podium::cli
