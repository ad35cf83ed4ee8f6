// What an administrator has configured of networks: the files of a folder like /etc/cni/net.d, by
// the CNI specification 1.1 (section 1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::network {

struct CniPlugin {
  std::string type;
  std::vector<std::string> capabilities;  // those that are on
  reflect::JsonValue config;              // an object; whole, as it was written
};

struct CniConfig {
  std::string name;
  std::string version;  // the one to be spoken with the plugins
  bool disable_check = false;
  bool disable_gc = false;
  std::vector<CniPlugin> plugins;  // at least one
  std::string text;                // what ParseCniConfig reads back
};

// Versions of the specification, and whether one has what came with 0.4.0 (CHECK, the last result
// at DEL) and 1.1.0 (STATUS, GC).
bool CniKnows(std::string_view version);
bool CniAtLeast(std::string_view version, std::string_view wanted);

// A list of plugins. kInvalidArgument.
Result<CniConfig> ParseCniConfig(std::string_view text);

// The network of a folder: of its files .conflist, .conf and .json the first by name, as others do
// it. Nothing when the folder has none or is not there. Errors name the file.
Result<std::optional<CniConfig>> LoadCniConfig(const std::string& folder);

}  // namespace podium::network
