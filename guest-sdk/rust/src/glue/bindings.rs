//! Generated from `wit/`: one world for each role, so that a module exports what it has and imports what it uses.

#![allow(missing_docs, unused_qualifications, unreachable_pub, clippy::all)]

/// What all roles import. The interfaces of the other worlds are mapped to these.
pub mod imports {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-imports;
            world imports {
                import caisson:connect/types@0.1.0;
                import caisson:connect/log@0.1.0;
                import caisson:connect/metrics@0.1.0;
                import caisson:connect/exceptions@0.1.0;
                import caisson:connect/connector-context@0.1.0;
                import caisson:connect/offsets@0.1.0;
                import caisson:connect/sink-context@0.1.0;
                import caisson:connect/net@0.1.0;
                import caisson:connect/http@0.1.0;
                import caisson:connect/keystores@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-imports/imports",
        generate_all,
    });
}

pub use imports::caisson::connect;

pub mod manifest {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-manifest;
            world manifest {
                export caisson:connect/manifest@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-manifest/manifest",
        with: {
            "caisson:connect/types@0.1.0": super::connect::types,
            "caisson:connect/manifest@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_manifest",
    });
}

pub mod source {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-source;
            world source {
                export caisson:connect/source-connector@0.1.0;
                export caisson:connect/source-task@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-source/source",
        with: {
            "caisson:connect/types@0.1.0": super::connect::types,
            "caisson:connect/source-connector@0.1.0": generate,
            "caisson:connect/source-task@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_source",
    });
}

pub mod sink {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-sink;
            world sink {
                export caisson:connect/sink-connector@0.1.0;
                export caisson:connect/sink-task@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-sink/sink",
        with: {
            "caisson:connect/types@0.1.0": super::connect::types,
            "caisson:connect/sink-connector@0.1.0": generate,
            "caisson:connect/sink-task@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_sink",
    });
}

pub mod transform {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-transform;
            world transform {
                export caisson:connect/transform@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-transform/transform",
        with: {
            "caisson:connect/types@0.1.0": super::connect::types,
            "caisson:connect/transform@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_transform",
    });
}

pub mod predicate {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-predicate;
            world predicate {
                export caisson:connect/predicate@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-predicate/predicate",
        with: {
            "caisson:connect/types@0.1.0": super::connect::types,
            "caisson:connect/predicate@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_predicate",
    });
}

pub mod handover {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-handover;
            world handover {
                export caisson:connect/handover@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-handover/handover",
        with: {
            "caisson:connect/types@0.1.0": super::connect::types,
            "caisson:connect/handover@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_handover",
    });
}

pub mod converter {
    wit_bindgen::generate!({
        inline: "
            package caisson:sdk-converter;
            world converter {
                export caisson:connect/converter@0.1.0;
            }
        ",
        path: "../../wit",
        world: "caisson:sdk-converter/converter",
        with: {
            "caisson:connect/types@0.1.0": super::connect::types,
            "caisson:connect/converter@0.1.0": generate,
        },
        pub_export_macro: true,
        export_macro_name: "export_converter",
    });
}
