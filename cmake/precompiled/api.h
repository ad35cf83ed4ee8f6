// For rooms that work with the objects of the API.
#include "api/field_errors.h"
#include "api/types/core_v1.h"
#include "reflect/json_value.h"
#include "reflect/object.h"
#include "reflect/type.h"
#include "standard.h"
