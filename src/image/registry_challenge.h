// The WWW-Authenticate header: what a server wants to see before it answers.
// Source: RFC 9110, section 11.6.1; OCI and Docker registries: distribution, "Token Authentication
// Specification".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace podium::image {

struct Challenge {
  std::string scheme;  // in lower case: "bearer", "basic"
  std::string token;   // of the form "Negotiate <token68>"
  // Names in lower case, values without quotes; in order, each name once.
  std::vector<std::pair<std::string, std::string>> parameters;

  // "" where there is none.
  std::string_view Get(std::string_view name) const;
};

// All challenges of one header. Of what does not read as any, what stands before it counts: a
// server that adds something odd behind a good challenge is understood.
std::vector<Challenge> ParseChallenges(std::string_view header);

}  // namespace podium::image
