// The progress of a pull: on a terminal a bar for each layer, redrawn in place; elsewhere a line
// for each step of a layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reflect/json_value.h"

namespace podium::cli {

class PullView {
 public:
  // `columns` of the terminal; 0 elsewhere.
  explicit PullView(size_t columns) : columns_(columns) {}

  // What to print when this step is told: the agent's line of JSON with "layer", "layers",
  // "digest", "state", "done" and "total". Steps that are none print nothing.
  std::string Show(const reflect::JsonValue& step);

 private:
  struct Layer {
    std::string digest;
    std::string state = "waiting";
    uint64_t done = 0;
    uint64_t total = 0;
  };

  std::string Bars() const;
  std::string Bar(const Layer& layer) const;

  const size_t columns_;
  std::vector<Layer> layers_;
  size_t drawn_ = 0;  // lines on the terminal
};

}  // namespace podium::cli
