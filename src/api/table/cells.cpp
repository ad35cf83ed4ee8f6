#include "api/table/cells.h"

#include <string>
#include <vector>

#include "base/text.h"
#include "reflect/json.h"

namespace podium::api {
void Cells::Text(std::string_view text) {
  std::string json;
  reflect::AppendJsonString(text, &json);
  Add(std::move(json));
}

void Cells::Number(int64_t value) { Add(std::to_string(value)); }

void Cells::Containers(const core::v1::PodSpec& pod) {
  std::vector<std::string> names;
  std::vector<std::string> images;
  for (const core::v1::Container& container : pod.containers) {
    names.push_back(container.name);
    images.push_back(container.image);
  }
  Text(Join(names, ","));
  Text(Join(images, ","));
}

}  // namespace podium::api
