#include "commands/registries.h"

#include <utility>

#include "http/proxy.h"
#include "image/credential_helper.h"

namespace podium::commands {
namespace {

std::string ValueOf(const image::EnvironmentReader& environment, const char* variable) {
  const char* value = environment(variable);
  return value ? value : "";
}

}  // namespace

std::string RegistriesFile(const Instance& instance) {
  return instance.config_dir + "/registries.json";
}

Result<image::RegistryOptions> ReadRegistries(const Instance& instance,
                                              const image::EnvironmentReader& environment) {
  image::RegistryOptions options;
  options.proxy = http::ProxyFromEnvironment(environment);
  const std::string path = RegistriesFile(instance);
  const image::FileReader files = image::ReadSmallFile();
  auto text = files(path);
  if (!text.ok() && text.error().code() == Code::kNotFound) return options;
  if (!text.ok()) return std::move(text).error();
  auto read = image::ReadRegistryOptions(*text, files, &options);
  if (!read.ok()) return std::move(read).error().WithContext(path);
  return options;
}

Result<image::Keyring> ReadCredentials(const image::EnvironmentReader& environment) {
  return image::ReadMachineKeyring(
      environment, image::ReadSmallFile(),
      image::MakeCredentialHelper({.path = ValueOf(environment, "PATH")}));
}

}  // namespace podium::commands
