"""What the sentences of an abstract give away: phrases, places and turns, each with its weight.

The weights are hand-made and looked at over 1,193 abstracts of 79 days; nothing is fitted to single papers.
"""

from __future__ import annotations

from enum import IntEnum


class Part(IntEnum):
    """The parts of an abstract, in the order in which most abstracts have them."""

    BACKGROUND = 0
    NEW = 1
    TECHNICAL = 2
    PERFORMANCE = 3
    END = 4


# Per part: phrases of one to three lower-case words by weight, separated by commas.
_PHRASES: dict[Part, dict[float, str]] = {
    Part.BACKGROUND: {
        2.5: """
            have shown, has shown, have demonstrated, have achieved, has achieved, has emerged, have
            emerged, has become, have become, has been, have been, have made, has made, remains a,
            remains an, remain limited, remains challenging, remains largely, remains unclear,
            remains underexplored, fall short, falls short, suffer from, suffers from, struggle to,
            struggle with, struggles with, fail to, fails to, existing methods, existing approaches,
            existing works, existing benchmarks, current methods, current approaches, prior work,
            previous work, previous methods, recent advances, recent advancements, recent work,
            recent works, recent studies, little is known, lack of
        """,
        1.2: """
            however, despite, recently, recent, existing, current, traditional, conventional,
            typically, often, challenge, challenges, challenging, crucial, essential, critical,
            fundamental, widely, unexplored, underexplored, lack, lacks, limited, limits, hinders,
            prohibitive, bottleneck, rely on, relies on, requires, require, increasingly, most,
            costly, expensive, difficult, unclear, overlook, neglect
        """,
        0.5: """
            yet, although, while, is a, are, many, progress, important, humans, remain, remains,
            still
        """,
    },
    Part.NEW: {
        4.0: """
            we introduce, we propose, we present, this paper introduces, this paper presents, this
            paper proposes, paper we introduce, paper we propose, paper we present, this work
            introduces, this work presents, this work proposes, this report introduces, this report
            presents, we instead propose, we therefore propose, we thus propose, we further propose,
            is introduced, is proposed, we open-source, this study introduces, this study presents,
            this study proposes, this survey, this review, we survey, we review
        """,
        2.5: """
            in this paper, in this work, in this study, in this report, this paper, this work, this
            study, this survey, this report, to address this, to address these, to address the, to
            this end, to bridge, to fill, to tackle, to overcome, to mitigate, to close this, we
            develop, we study, we investigate, we explore, we ask, we describe, we
            examine, we create, we build, we release, we construct, we formulate, we revisit, we
            rethink, we identify, we analyze, we formalize, we unveil, is an, here we, our goal, we
            conduct, we provide, we aim, we design, we offer, we consider, we focus, we advocate, we
            establish, we curate
        """,
        1.0: """
            we argue, novel, new, first, named, called, termed, dubbed, coined, inspired by, motivated by,
            introduces, introduce, presents, proposes, open-source, framework, a framework,
            benchmark, paradigm, model that, method that, approach that, family of, designed to, is
            the first, to our
        """,
    },
    Part.TECHNICAL: {
        2.5: """
            specifically, concretely, technically, consists of, consist of, comprises, comprising,
            composed of, key idea, core idea, at its core, is based on, built on, built upon, builds
            on, builds upon, trained on, trained with, is trained, was trained, we train, we use, we
            employ, we adopt, we leverage, we apply, we design, we devise, we collect,
            we construct, we decompose, we incorporate, we integrate, we further
            introduce, we also introduce, our
            model, two-stage, three-stage, key components, main components, two key, three key, in
            particular, during training, during inference, at inference, in the first, first stage,
            second stage, by using, our key, we formulate, we then, we
            first, we fine-tune, three components, two components, four components,
            simple components, makes the following, three steps, two steps, we address,
            by introducing, by incorporating, we augment, we expand
        """,
        1.2: """
            our method, our approach, our framework, our model, our system, our pipeline, our proposed,
            leverages, leveraging, employs, employing, uses, using, utilizes, utilizing,
            incorporates, integrates, integrating, combines, combining, adopts, introduces, first,
            second, third, then, finally, next, firstly, secondly, stage, stages, module, modules,
            encoder, decoder, architecture, loss, objective, pipeline, mechanism, algorithm,
            strategy, enables, enabling, allows, allowing, designed, via, components, through,
            instead of, rather than, unlike, jointly, conditioned on, tokens, operates, predicts,
            learns, maps, optimizes, estimates, decouples, selectively, dynamically, iteratively,
            hierarchical, training-free, end-to-end, further introduces, adapts, aligns, encodes,
            collected, annotated, covers, covering, cover, spanning, span, spans, includes,
            including, contains, formulated
        """,
        0.5: """
            by, into, each, which, supports, features, provides, generates, representations,
            sampling, network, layers, training, dataset, data, samples, questions, across, reward,
            policy, parameters
        """,
    },
    Part.PERFORMANCE: {
        3.0: """
            we prove, we prove that, experiments show, experiments demonstrate, results show,
            results demonstrate, results             indicate, experimental results, extensive
            experiments, comprehensive experiments, experiments on, extensive evaluations, empirical
            results, we find, we show that, we             demonstrate that, we observe, our
            findings, our results, our analysis, our experiments, outperforms, outperforming,
            outperform, state-of-the-art performance, state-of-the-art             results, new
            state-of-the-art, achieves, surpasses, surpassing, findings reveal, evaluation reveals,
            evaluations show, we found, we also find, improves over, evaluated             on,
            compared to, compared with, achieves state-of-the-art, user studies, we discover, further
            discover, we further find, we also observe, we also show, we further show, we reveal, we
            evaluate, we demonstrate, we further demonstrate, also demonstrate, reveals that, reveal that,
            shows that, show that, demonstrate that, demonstrates that, indicate that, indicates that, find
            that, observe that, results on, performance on, performance of, speeds up, reduces the, ranks
            first, ranked first, highest score, outperformed by, matches the, rivals, on par with, better
            than, less than, more than, evaluated across, across benchmarks, experiments across,
            ablation studies, human study, remains poorly, fail to, struggle to, struggle with,
            interestingly, surprisingly, to validate, to assess, generalize to, generalizes to,
            comparable to, best performance, significant improvements, significant gains, ranks second,
            we uncover, we confirm, obtains the best, additional gains, additional improvements,
            yields faster, ablations show
        """,
        1.5: """
            correlation, correlations, correlate, success rate, raises, raising, cuts, lowers,
            experiments, experimental, experimentally, empirically, evaluation, evaluations,
            evaluate, results, show, shows, showing, demonstrate, demonstrates, demonstrating,
            state-of-the-art, achieve, achieved, achieving, attains, improve, improves, improving,
            improvement, improvements, superior, competitive, gains, gain, accuracy, faster,
            speedup, reduces, reducing, reduction, reveal, reveals, findings, significantly,
            consistently, comparable, ablation, effectiveness, on par, exceeds, boosts, increase,
            baselines, outperformed, performs, surpass, yields, excels, excel, underperforms,
            underperform, drop, drops, only, even, human evaluation, higher, better
        """,
        0.6: """
            tested, prefer, preferred, human annotations, human annotators, human experts,
            benchmarks, performance, across, average, up to, than, over, score, rate, while, tasks,
            %, ×, points, gpt-4, gpt-4o, notably, remarkably, substantially, strong, generalizes,
            robust, validate, less, fewer
        """,
    },
    Part.END: {
        4.0: """
            is available at, are available at, available at, publicly available, will be released,
            project page, we hope, will be available, be made available, is available, are
            available, code and, pave the way, paves the way, paving the way, opens up, opens new,
            future research, be found at, our code, our project, released at, we release, future
            work, open-sourced at, these findings, these results, this work highlights, further
            research, are released, is released
        """,
        1.5: """
            code, github, https, http, website, released, release, implications, contribute,
            community, offers a, foundation for, insights into, facilitate, towards, toward,
            potential of, potential, overall, fostering, insights, accelerate follow-up, valuable,
            scalable solution, practitioners, reproducible, guidance for, broader, implications for,
            this work, our work, suggest, suggests, highlight,
            highlights, highlighting, promising, advancing, step
        """,
    },
}

#: The weights of every phrase that is a cue: phrase -> ((part, weight), ...).
CUES: dict[str, tuple[tuple[Part, float], ...]] = {}
for _part, _by_weight in _PHRASES.items():
    for _weight, _phrases in _by_weight.items():
        for _phrase in _phrases.split(","):
            _key = " ".join(_phrase.split())
            CUES[_key] = (*CUES.get(_key, ()), (_part, _weight))

#: The weight of a place: row by fifth of the abstract, column by part.
PLACES = (
    (1.8, 0.8, -2.0, -3.5, -6.0),
    (1.5, 1.5, 0.0, -1.5, -4.5),
    (-0.5, 1.0, 1.0, 0.0, -3.0),
    (-2.0, -0.5, 1.0, 1.5, -1.0),
    (-3.0, -1.5, -0.5, 1.5, 1.0),
)

#: The weight of a turn: row by the part before (the last row: at the beginning), column by the part after.
TURNS = (
    (0.5, 0.5, -3.0, -3.0, -5.0),
    (-2.0, -0.5, 0.5, 0.0, -1.0),
    (-4.0, -1.5, 0.5, 0.5, -0.5),
    (-5.0, -2.5, -1.5, 0.5, 0.5),
    (-6.0, -4.0, -4.0, -1.5, 1.0),
    (0.0, 0.0, -3.0, -5.0, -8.0),
)
