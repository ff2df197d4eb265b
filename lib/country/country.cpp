#include "country/country.h"
