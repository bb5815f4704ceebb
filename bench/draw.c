#include "bench/draw.h"

double draw_between(const struct draw_point *points, double share)
{
    while (points[1].share < share)
        points++;
    double part = (share - points[0].share) / (points[1].share - points[0].share);
    return points[0].value + part * (points[1].value - points[0].value);
}

unsigned draw_weighted(const double *sums, unsigned count, double wanted)
{
    unsigned low = 0, high = count - 1;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (sums[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
