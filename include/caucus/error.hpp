#pragma once

#include "base/errc.hpp"
#include "base/result.hpp"
