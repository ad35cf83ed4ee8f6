// Docker's config.json and the keyring made of it: the first line is a repository, the rest the
// file. Nothing breaks, and an exact host always finds its own credentials.
#include <cstdint>
#include <string>

#include "fuzz/require.h"
#include "image/docker_config.h"
#include "image/keyring.h"

using podium::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  if (line == text.npos) return 0;
  const std::string_view repository = text.substr(0, line);
  const std::string_view json = text.substr(line + 1);
  (void)podium::image::ReadDockercfg(json);
  const auto config = podium::image::ReadDockerConfigJson(json);
  if (!config.ok()) {
    Require(!config.error().message().empty());
    return 0;
  }
  podium::image::Keyring keyring;
  keyring.Add(*config);
  const auto found = keyring.Lookup(repository);
  Require(found.ok());
  Require(found->size() <= config->auths.size());

  podium::image::Keyring one;
  one.Add({.auths = {{"registry.example:5000", {.username = "u", .password = "p"}}},
           .helpers = {},
           .store = {}});
  one.Add(*config);
  const auto own = one.Lookup("registry.example:5000/app");
  Require(own.ok() && !own->empty());
  return 0;
}
