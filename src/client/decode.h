// JSON of a server as shared objects. Kinds that this program does not know are read as well: their
// metadata is typed, the rest kept as JSON. Private to client.
//
// Threads: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/connection.h"
#include "reflect/runtime_types.h"

namespace podium::client {

class Decoder {
 public:
  // `default_version` and `default_kind`: of objects that do not say it themselves, as the items of
  // lists; may be empty. kInvalidArgument for what is no object, or of no kind at all.
  Result<SharedObject> Object(std::string_view json, std::string_view default_version = "",
                              std::string_view default_kind = "");
  // Every item has metadata.
  Result<ObjectList> List(std::string_view json);
  // An object of WatchEvent: a line of a watch. The error of an event that is one.
  Result<ObjectEvent> Event(std::string_view json);

 private:
  using Types = std::shared_ptr<const reflect::RuntimeTypes>;
  Result<Types> UntypedOf(const std::string& api_version, const std::string& kind);

  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Types> untyped_;  // under mutex_
};

}  // namespace podium::client
