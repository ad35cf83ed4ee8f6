// Boost.JSON whole, header-only form.
#include <boost/json/src.hpp>
