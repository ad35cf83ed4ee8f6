// What a server answers as a Table (meta.k8s.io/v1), as kubectl get prints it (upstream's
// k8s.io/cli-runtime/pkg/printers, TablePrinter).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/table_text.h"
#include "reflect/json_value.h"

namespace podium::cli {

// To ask for it; of a server or a kind that has none the objects come as they are.
inline constexpr std::string_view kAcceptTable =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/"
    "json;as=Table;v=v1beta1;g=meta.k8s.io,"
    "application/json";

struct TableOptions {
  bool wide = false;
  bool headings = true;
  bool with_namespace = false;
  bool show_labels = false;
  std::vector<std::string> label_columns = {};
  // "pod": stands before each name.
  std::string kind_prefix = {};
  // Of a watch: stands first.
  bool with_event = false;
};

bool IsTable(const reflect::JsonValue& answer);

// A Table of objects that came as they are: an object, or a list of them. By the columns of kinds
// that this program knows, otherwise NAME and AGE.
Result<reflect::JsonValue> TableOfObjects(const reflect::JsonValue& answer);

// Sorts the rows, whose objects the Table has, by what a path finds in them: numbers, quantities
// and texts; what has nothing there stands first. kInvalidArgument for a path that
// is none.
Result<void> SortTable(reflect::JsonValue* table, std::string_view path);
// The same of the items of a list.
Result<void> SortItems(reflect::JsonValue* list, std::string_view path);

// Rows of several answers in one table, headings where the columns change.
class TablePrinter {
 public:
  // `event`: "ADDED", of a watch with them.
  void Add(const reflect::JsonValue& table, const TableOptions& options,
           std::string_view event = {});
  // Appends what was added.
  void Flush(std::string* out) { text_.Flush(out); }
  // What is added next is a table of its own.
  void Restart();
  bool empty() const { return text_.empty(); }

 private:
  TableText text_;
  // Of the table before: events of a watch come without.
  reflect::JsonValue columns_;
  std::vector<std::string> headings_;
};

}  // namespace podium::cli
