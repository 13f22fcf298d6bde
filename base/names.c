/*  names: see names.h. The lists are short words that read well before and after a hyphen. */
#include "base/names.h"

#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char *const adjectives[] = {
    "airy",     "alpine",  "amber",    "ancient",  "arid",     "ashen",    "autumn",   "azure",
    "balmy",    "bare",    "blooming", "blue",     "boreal",   "brambly",  "breezy",   "bright",
    "bristly",  "bronze",  "calm",     "chalky",   "cloudy",   "coastal",  "cobalt",   "cool",
    "coral",    "craggy",  "crimson",  "crisp",    "damp",     "dappled",  "dawning",  "deep",
    "desert",   "dewy",    "dusky",    "dusty",    "earthy",   "emerald",  "evergreen", "feathered",
    "ferny",    "fertile", "flinty",   "floral",   "flowing",  "foggy",    "fresh",    "frosty",
    "gentle",   "glacial", "gleaming", "golden",   "granite",  "grassy",   "green",    "hazel",
    "hazy",     "hidden",  "hilly",    "hollow",   "humid",    "icy",      "indigo",   "inland",
    "ivory",    "jade",    "juniper",  "leafy",    "lichen",   "lilac",    "lofty",    "lunar",
    "lush",     "marine",  "marshy",   "meadowy",  "mellow",   "misty",    "mossy",    "muddy",
    "nocturnal", "northern", "oaken",  "olive",    "opal",     "pebbly",   "piney",    "placid",
    "polar",    "primal",  "quiet",    "rainy",    "rapid",    "reedy",    "rippling", "rocky",
    "rolling",  "rooted",  "rosy",     "rugged",   "russet",   "rustic",   "sandy",    "scarlet",
    "shady",    "silent",  "silver",   "sleeping", "snowy",    "solar",    "southern", "sparkling",
    "stony",    "stormy",  "summer",   "sunlit",   "sunny",    "tidal",    "tranquil", "tropical",
    "twilit",   "verdant", "vernal",   "violet",   "wandering", "warm",    "western",  "wild",
    "windy",    "wintry",  "wooded",   "woven",    NULL,
};

static const char *const places[] = {
    "archipelago", "arroyo", "atoll",   "aurora",   "basin",    "bay",      "bayou",    "beach",
    "bluff",    "bog",      "brook",    "butte",    "canopy",   "canyon",   "cape",     "cascade",
    "cave",     "cavern",   "chasm",    "cliff",    "cloud",    "coast",    "copse",    "cove",
    "crag",     "crater",   "creek",    "current",  "dale",     "dell",     "delta",    "desert",
    "dune",     "estuary",  "falls",    "fen",      "field",    "fjord",    "foothill", "forest",
    "geyser",   "glacier",  "glade",    "glen",     "gorge",    "grotto",   "grove",    "gulch",
    "gulf",     "harbor",   "heath",    "highland", "hill",     "hollow",   "horizon",  "iceberg",
    "inlet",    "island",   "isthmus",  "jungle",   "knoll",    "lagoon",   "lake",     "ledge",
    "lowland",  "marsh",    "meadow",   "mesa",     "moor",     "mountain", "oasis",    "ocean",
    "orchard",  "pasture",  "peak",     "plateau",  "pond",     "prairie",  "quarry",   "rapids",
    "ravine",   "reef",     "ridge",    "river",    "savanna",  "shoal",    "shore",    "slope",
    "spring",   "steppe",   "strait",   "stream",   "summit",   "swamp",    "thicket",  "tundra",
    "valley",   "volcano",  "wetland",  "woodland", NULL,
};

static const char *const things[] = {
    "acorn",    "agate",    "alder",    "anemone",  "apricot",  "aspen",    "badger",   "bamboo",
    "bark",     "basalt",   "beech",    "birch",    "blossom",  "boulder",  "branch",   "breeze",
    "briar",    "bud",      "cactus",   "cedar",    "cherry",   "clay",     "clover",   "comet",
    "cone",     "crystal",  "cypress",  "daisy",    "dandelion", "dew",     "elm",      "ember",
    "fern",     "fig",      "fir",      "flint",    "flower",   "fossil",   "frost",    "gale",
    "garnet",   "ginger",   "hail",     "hazelnut", "heather",  "hemlock",  "holly",    "iris",
    "ivy",      "jasmine",  "kelp",     "larch",    "laurel",   "leaf",     "lily",     "lotus",
    "lupine",   "mango",    "maple",    "marigold", "mint",     "moss",     "mushroom", "nectar",
    "nettle",   "oak",      "orchid",   "palm",     "pearl",    "pebble",   "petal",    "pine",
    "plum",     "pollen",   "poppy",    "quartz",   "raindrop", "reed",     "root",     "rose",
    "sage",     "sand",     "sapling",  "seed",     "shell",    "slate",    "snowflake", "spruce",
    "stone",    "sunbeam",  "thistle",  "thunder",  "thyme",    "tide",     "tulip",    "twig",
    "vine",     "walnut",   "wave",     "willow",   "wind",     "yarrow",   NULL,
};

static const char *const *const nouns[NAMES_THEMES] = {
    [NAMES_ENCLAVE] = places,
    [NAMES_ARTIFACT] = things,
};

static const char *draw(const char *const *list);

char *
names_new(names_theme_t theme, bool (*taken)(void *arg, const char *name), void *arg)
{
    char *name = NULL;
    for (int i = 0; i < NAMES_DRAWS; i++) {
        free(name);
        name = str_format("%s-%s", draw(adjectives), draw(nouns[theme]));
        if (!taken(arg, name))
            return name;
    }
    for (unsigned number = 1;; number++) {
        char *numbered = str_format("%s-%u", name, number);
        if (!taken(arg, numbered)) {
            free(name);
            return numbered;
        }
        free(numbered);
    }
}

const char *const *
names_adjectives(void)
{
    return adjectives;
}

const char *const *
names_nouns(names_theme_t theme)
{
    return nouns[theme];
}

/* Evenly: numbers past the last whole multiple of the list's length are drawn again. */
static const char *
draw(const char *const *list)
{
    uint32_t count = 0;
    while (list[count])
        count++;
    uint32_t number;
    do {
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            abort();
    } while (number >= UINT32_MAX - UINT32_MAX % count);
    return list[number % count];
}
