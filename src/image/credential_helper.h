// Credentials that a program on this machine has: docker-credential-NAME, as credsStore and
// credHelpers of Docker's config.json name it. It is run only by who passes this to a Keyring.
// Source: github.com/docker/docker-credential-helpers, the protocol of "get".
#pragma once

#include <chrono>
#include <string>

#include "image/docker_config.h"
#include "image/keyring.h"

namespace podium::image {

struct CredentialHelperOptions {
  // Looked through for the program, separated by colons; as PATH.
  std::string path;
  std::chrono::milliseconds timeout{30'000};
};

// The program gets the server's name on its input and answers with JSON of at most 1 MiB; it is
// killed when it takes longer than the timeout, with whatever it started that kept its group. It
// sees this process's environment. Errors name the program and what it said: kNotFound (no such
// program), kDeadlineExceeded, kUnauthenticated (it failed), kInvalidArgument (a name that is no
// program's, an answer that is no answer).
CredentialHelper MakeCredentialHelper(CredentialHelperOptions options);

}  // namespace podium::image
