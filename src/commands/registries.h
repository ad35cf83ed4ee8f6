// How this machine's agent reaches registries, and as whom.
#pragma once

#include <string>

#include "base/instance.h"
#include "base/result.h"
#include "image/keyring.h"
#include "image/registry_config.h"
#include "image/registry_options.h"

namespace podium::commands {

// CONFIG/registries.json of the instance: mirrors, plain HTTP, certificates, in the form of
// image/registry_config.h. Without the file, all is as it is by default.
std::string RegistriesFile(const Instance& instance);

// What that file says, with the proxies of the environment. An error names the file.
Result<image::RegistryOptions> ReadRegistries(const Instance& instance,
                                              const image::EnvironmentReader& environment);

// The credentials of `docker login` as they are now, those that helper programs on PATH have as
// well. An error names the file.
Result<image::Keyring> ReadCredentials(const image::EnvironmentReader& environment);

}  // namespace podium::commands
