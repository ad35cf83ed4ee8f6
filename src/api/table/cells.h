// The cells of one row while they are made. Private to table/.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "api/printed_text.h"
#include "api/time.h"
#include "api/types/core_v1.h"
#include "api/types/meta_v1.h"
#include "reflect/type.h"

namespace podium::api {

class Cells {
 public:
  explicit Cells(Time now) : now_(now) {}

  void Text(std::string_view text);
  void Text(std::string_view text, std::string_view otherwise) {
    Text(text.empty() ? otherwise : text);
  }
  template <std::same_as<std::optional<std::string>> Optional>
  void Text(const Optional& text, std::string_view otherwise) {
    Text(text ? std::string_view(*text) : otherwise);
  }
  void Number(int64_t value);
  void Number(const std::optional<int32_t>& value, std::string_view otherwise) {
    value ? Number(*value) : Text(otherwise);
  }
  template <std::same_as<bool> Bool>
  void Truth(Bool value) {
    Add(value ? "true" : "false");
  }
  // How long ago; <unknown> for the zero time.
  void Since(Time then) { Text(Ago(then)); }
  void Since(MicroTime then) { Text(Ago(then)); }
  void Age(const meta::v1::ObjectMeta& metadata) { Since(metadata.creationTimestamp); }
  // Of a workload: the names and the images of its containers.
  void Containers(const core::v1::PodSpec& pod);

  std::string Ago(Time then) const { return api::Ago(then, now_); }
  std::string Ago(MicroTime then) const { return api::Ago(then, now_); }
  Time now() const { return now_; }
  reflect::List<reflect::RawJson> Take() { return std::move(cells_); }

 private:
  void Add(std::string json) { cells_.push_back({std::move(json)}); }

  const Time now_;
  reflect::List<reflect::RawJson> cells_;
};

// How the cells of one type are made; they are the columns' in order.
struct CellMaker {
  const reflect::Type* type;
  void (*make)(const void* object, Cells* cells);
};

template <class T, void (*make)(const T&, Cells*)>
CellMaker Maker() {
  return {.type = &reflect::TypeOf<T>(), .make = [](const void* object, Cells* cells) {
            make(*static_cast<const T*>(object), cells);
          }};
}

// Nodes, workloads and pods; what else is in core; the other groups.
std::span<const CellMaker> WorkloadCells();
std::span<const CellMaker> CoreCells();
std::span<const CellMaker> PolicyCells();
std::span<const CellMaker> OtherCells();

}  // namespace podium::api
