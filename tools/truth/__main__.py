from tools.truth import pairs
from tools.truth.measure import measure

c = pairs.corpus()
for name, ps in {
    "ko": pairs.korean(c),
    "short en": pairs.short_summaries(c),
    "excerpts as summaries": pairs.excerpts(c, told=False),
    "excerpts": pairs.excerpts(c, told=True),
}.items():
    m = measure(name, ps)
    print(name, m.pairs, "flagged", m.flagged, dict(m.alarms))
    for f in m.faults:
        print("   ", f.fault, f.tried, round(f.found / f.tried, 3), round(f.as_error / f.tried, 3))
