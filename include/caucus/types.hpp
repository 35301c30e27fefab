#pragma once

#include "base/endpoint.hpp"
#include "base/ids.hpp"
#include "base/shared_bytes.hpp"
