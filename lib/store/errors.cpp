#include "store/errors.h"
