#include "network/cni_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "base/ascii.h"
#include "reflect/json.h"
#include "wire/types/cni.h"

namespace podium::network {

using reflect::JsonValue;
namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxFile = size_t{1} << 20;
constexpr std::array<std::string_view, 7> kVersions = {"0.1.0", "0.2.0", "0.3.0", "0.3.1",
                                                       "0.4.0", "1.0.0", "1.1.0"};
const reflect::DecodeOptions kLenient{
    .strict = false, .max_depth = 100, .max_problems = 10, .max_expansion = 64};

Error Invalid(const std::string& what) { return {Code::kInvalidArgument, what}; }

// A name that plugins make paths of.
bool IsName(std::string_view name) {
  return !name.empty() && IsLetterOrDigit(name[0]) && std::ranges::all_of(name, [](char c) {
    return IsLetterOrDigit(c) || c == '_' || c == '.' || c == '-';
  });
}

Result<std::string> ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof()) return Invalid("cannot be read, or has more than 1 MiB");
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

Result<CniPlugin> ParsePlugin(std::string_view text) {
  TRY(const auto known, reflect::FromJson<wire::cni::PluginConfig>(text, kLenient));
  if (known.type.empty()) return Invalid("a plugin has no type");
  // It becomes a file name.
  if (known.type.find('/') != std::string::npos || known.type.starts_with('.')) {
    return Invalid("plugin type '" + known.type + "' is no file name");
  }
  CniPlugin plugin;
  plugin.type = known.type;
  for (const auto& [name, on] : known.capabilities) {
    if (on) plugin.capabilities.push_back(name);
  }
  TRY(plugin.config, reflect::ParseJson(text, {.max_depth = 100}));
  return plugin;
}

// Of several versions that a network offers, the latest that is known here.
Result<std::string> ChooseVersion(const wire::cni::NetworkList& list) {
  std::string best;
  for (const std::string_view version : kVersions) {
    const bool offered = list.cniVersion == version ||
                         std::ranges::find(list.cniVersions, version) != list.cniVersions.end();
    if (offered) best = version;
  }
  if (!best.empty()) return best;
  if (list.cniVersion.empty() && list.cniVersions.empty()) return std::string(kVersions[0]);
  return Invalid("CNI version '" + list.cniVersion + "' is not known here");
}

Result<CniConfig> ParseList(std::string_view text) {
  TRY(const auto list, reflect::FromJson<wire::cni::NetworkList>(text, kLenient));
  if (!IsName(list.name)) return Invalid("the network's name '" + list.name + "' is no name");
  CniConfig config;
  config.name = list.name;
  TRY(config.version, ChooseVersion(list));
  config.disable_check = list.disableCheck;
  config.disable_gc = list.disableGC;
  for (const auto& raw : list.plugins) {
    TRY(CniPlugin plugin, ParsePlugin(raw.text));
    config.plugins.push_back(std::move(plugin));
  }
  if (config.plugins.empty()) return Invalid("the network has no plugins");
  config.text = text;
  return config;
}

// A single plugin's configuration as a list of one.
Result<std::string> AsList(std::string_view text) {
  TRY(const JsonValue plugin, reflect::ParseJson(text, {.max_depth = 100}));
  if (!plugin.is_object()) return Invalid("is no object");
  JsonValue list = JsonValue::Of(JsonValue::Object{});
  for (const char* key : {"cniVersion", "name"}) {
    if (const JsonValue* value = plugin.Find(key)) list.Set(key, *value);
  }
  list.Set("plugins", JsonValue::Of(JsonValue::Array{plugin}));
  return ToText(list);
}

std::vector<fs::path> FilesOf(const fs::path& folder, std::span<const std::string_view> endings) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string ending = entry->path().extension();
    if (std::ranges::find(endings, ending) == endings.end()) continue;
    std::error_code unknown;
    if (!entry->is_directory(unknown)) files.push_back(entry->path());
  }
  std::ranges::sort(files);
  return files;
}

// Since 1.1 a list takes in the plugins of a folder of its name beside it.
Result<std::string> WithFolder(const fs::path& file, std::string text) {
  constexpr std::string_view kEndings[] = {".conf"};
  TRY(const auto known, reflect::FromJson<wire::cni::NetworkList>(text, kLenient));
  if (known.loadOnlyInlinedPlugins || !IsName(known.name)) return text;
  const auto more = FilesOf(file.parent_path() / known.name, kEndings);
  if (more.empty()) return text;
  TRY(JsonValue list, reflect::ParseJson(text, {.max_depth = 100}));
  JsonValue::Array plugins;
  if (const JsonValue* inlined = list.Find("plugins"); inlined != nullptr && inlined->is_array()) {
    plugins = inlined->array();
  }
  for (const fs::path& path : more) {
    TRY(const std::string one, ReadFile(path));
    TRY(JsonValue plugin, reflect::ParseJson(one, {.max_depth = 100}));
    plugins.push_back(std::move(plugin));
  }
  list.Set("plugins", JsonValue::Of(std::move(plugins)));
  // What is kept of it has all plugins in it.
  list.Set("loadOnlyInlinedPlugins", JsonValue::Bool(true));
  return ToText(list);
}

Result<CniConfig> LoadFile(const fs::path& file) {
  TRY(std::string text, ReadFile(file));
  if (file.extension() == ".conflist") {
    TRY(text, WithFolder(file, std::move(text)));
  } else {
    TRY(text, AsList(text));
  }
  return ParseList(text);
}

std::array<unsigned, 3> Parts(std::string_view version) {
  std::array<unsigned, 3> parts{};
  for (unsigned& part : parts) {
    std::from_chars(version.data(), version.data() + version.size(), part);
    const size_t dot = version.find('.');
    version.remove_prefix(dot == std::string_view::npos ? version.size() : dot + 1);
  }
  return parts;
}

}  // namespace

bool CniKnows(std::string_view version) {
  return std::ranges::find(kVersions, version) != kVersions.end();
}

bool CniAtLeast(std::string_view version, std::string_view wanted) {
  return Parts(version) >= Parts(wanted);
}

Result<CniConfig> ParseCniConfig(std::string_view text) { return ParseList(text); }

Result<std::optional<CniConfig>> LoadCniConfig(const std::string& folder) {
  constexpr std::string_view kEndings[] = {".conf", ".conflist", ".json"};
  const auto files = FilesOf(folder, kEndings);
  if (files.empty()) return std::optional<CniConfig>();
  auto config = LoadFile(files[0]);
  if (!config.ok()) return std::move(config).error().WithContext(files[0].string());
  return std::optional(*std::move(config));
}

}  // namespace podium::network
