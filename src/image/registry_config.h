// What a machine's administrator says about registries, in files.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/keyring.h"
#include "image/registry_options.h"

namespace podium::image {

// Reads a file whole; kNotFound where there is none.
using FileReader = std::function<Result<std::string>(const std::string& path)>;
FileReader ReadSmallFile();  // of the disk, up to 4 MiB

// Of a document such as
//   {"registries": {
//      "docker.io": {"mirrors": ["https://mirror.example"]},
//      "registry.example:5000": {"plainHTTP": true, "skipVerify": true, "caFile": "/etc/ca.pem",
//                                "certFile": "/etc/me.pem", "keyFile": "/etc/me.key"}},
//    "parallelLayers": 3, "maxLayerSize": 0, "maxImageSize": 0}
// in which everything may be left out. What it does not say stays as it is in `options`. Unknown
// members, and files that are missing, are errors: kInvalidArgument.
Result<void> ReadRegistryOptions(std::string_view json, const FileReader& files,
                                 RegistryOptions* options);

// A variable's value, or null: std::getenv has this form.
using EnvironmentReader = std::function<const char*(const char* variable)>;

// The credentials of `docker login` on this machine: $DOCKER_CONFIG/config.json, or else
// $HOME/.docker/config.json. Empty where there is none.
Result<Keyring> ReadMachineKeyring(const EnvironmentReader& environment, const FileReader& files,
                                   CredentialHelper helper);

}  // namespace podium::image
