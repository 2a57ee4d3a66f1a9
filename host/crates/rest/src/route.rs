//! Which resource a path is, and what may be done with it.

use hyper::Method;

use crate::path::Segment;

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// All of the API.
    All,
    /// All but the admin resources, which have listeners of their own or are off.
    Regular,
    /// The admin resources alone.
    Admin,
}

/// A resource, with the names in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Root,
    Health,
    Metrics,
    Connectors,
    Connector(String),
    Config(String),
    Status(String),
    Tasks(String),
    /// Without a number that is none.
    TaskStatus(String, Option<i32>),
    TaskRestart(String, Option<i32>),
    Pause(String),
    Resume(String),
    Stop(String),
    Restart(String),
    Fence(String),
    Topics(String),
    TopicsReset(String),
    Offsets(String),
    Plugins,
    PluginConfig(String),
    PluginValidate(String),
    Preview,
    Loggers,
    Logger(String),
    Modules,
    Module(String),
    ModuleBytes(String),
    Bindings,
    Binding(String),
    BindingHistory(String),
    BindingRollback(String),
}

impl Route {
    /// The resource at these segments; none if there is none on this face (404).
    pub fn find(face: Face, segments: &[Segment]) -> Option<Route> {
        let parts: Vec<&str> = segments.iter().map(|segment| segment.raw.as_str()).collect();
        let names = |at: usize| segments.get(at).map(|segment| segment.text.clone()).unwrap_or_default();
        let (admin, route) = match parts.as_slice() {
            ["admin", "loggers", rest @ ..] => (true, logger(rest, names(2))?),
            ["connectors", rest @ ..] => (false, connector(rest, names(1))?),
            ["connector-plugins", rest @ ..] => (false, plugin(rest, names(1))?),
            ["modules", rest @ ..] => (false, module(rest, names(1))?),
            ["bindings", rest @ ..] => (false, binding(rest, names(1))?),
            ["preview"] => (false, Route::Preview),
            ["health"] => (false, Route::Health),
            ["metrics"] => (false, Route::Metrics),
            [] => (false, Route::Root),
            _ => return None,
        };
        let served = match face {
            Face::All => true,
            Face::Regular => !admin,
            Face::Admin => admin,
        };
        served.then_some(route)
    }

    /// The methods of a resource, besides `OPTIONS` and, where there is `GET`, `HEAD`.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Route::Root
            | Route::Health
            | Route::Metrics
            | Route::Status(_)
            | Route::TaskStatus(..)
            | Route::Topics(_)
            | Route::Plugins
            | Route::PluginConfig(_)
            | Route::Loggers
            | Route::ModuleBytes(_)
            | Route::Bindings
            | Route::BindingHistory(_) => &[Method::GET],
            Route::Connectors | Route::Tasks(_) | Route::Modules => &[Method::GET, Method::POST],
            Route::Connector(_) | Route::Module(_) => &[Method::DELETE, Method::GET],
            Route::Config(_) => &[Method::GET, Method::PATCH, Method::PUT],
            Route::TaskRestart(..) | Route::Restart(_) | Route::BindingRollback(_) | Route::Preview => &[Method::POST],
            Route::Pause(_)
            | Route::Resume(_)
            | Route::Stop(_)
            | Route::Fence(_)
            | Route::TopicsReset(_)
            | Route::PluginValidate(_) => &[Method::PUT],
            Route::Offsets(_) => &[Method::DELETE, Method::GET, Method::PATCH],
            Route::Logger(_) | Route::Binding(_) => &[Method::GET, Method::PUT],
        }
    }

    /// The value of `Allow`.
    pub fn allow(&self) -> String {
        let mut names: Vec<&str> = self.methods().iter().map(Method::as_str).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        names.sort_unstable();
        names.join(",")
    }

    /// Whether requests of this method come from other workers, which sign them.
    pub fn is_signed(&self, method: &Method) -> bool {
        match self {
            Route::Tasks(_) => method == Method::POST,
            Route::Fence(_) => method == Method::PUT,
            _ => false,
        }
    }

    /// Whether the resource is there only where modules can be uploaded.
    pub fn is_about_modules(&self) -> bool {
        matches!(
            self,
            Route::Modules
                | Route::Module(_)
                | Route::ModuleBytes(_)
                | Route::Bindings
                | Route::Binding(_)
                | Route::BindingHistory(_)
                | Route::BindingRollback(_)
        )
    }

    /// Whether the body of a request is a module, which is no JSON and does not lie in memory.
    pub fn takes_module(&self, method: &Method) -> bool {
        *self == Route::Modules && method == Method::POST
    }

    /// Whether the resource minds the type of a request's body.
    pub fn consumes_json(&self) -> bool {
        !matches!(self, Route::Root | Route::Health | Route::Metrics)
    }

    /// Whether a method of the resource reads the body.
    pub fn reads_body(&self, method: &Method) -> bool {
        match self {
            Route::Connectors | Route::Tasks(_) | Route::Preview => method == Method::POST,
            Route::Config(_) => method == Method::PUT || method == Method::PATCH,
            Route::Offsets(_) => method == Method::PATCH,
            Route::PluginValidate(_) | Route::Logger(_) | Route::Binding(_) => method == Method::PUT,
            Route::Root
            | Route::Health
            | Route::Metrics
            | Route::Connector(_)
            | Route::Status(_)
            | Route::TaskStatus(..)
            | Route::TaskRestart(..)
            | Route::Pause(_)
            | Route::Resume(_)
            | Route::Stop(_)
            | Route::Restart(_)
            | Route::Fence(_)
            | Route::Topics(_)
            | Route::TopicsReset(_)
            | Route::Plugins
            | Route::PluginConfig(_)
            | Route::Loggers
            | Route::Modules
            | Route::Module(_)
            | Route::ModuleBytes(_)
            | Route::Bindings
            | Route::BindingHistory(_)
            | Route::BindingRollback(_) => false,
        }
    }
}

fn connector(parts: &[&str], name: String) -> Option<Route> {
    Some(match parts {
        [] => Route::Connectors,
        [_] => Route::Connector(name),
        [_, "config"] => Route::Config(name),
        [_, "status"] => Route::Status(name),
        [_, "tasks"] => Route::Tasks(name),
        [_, "tasks", task, "status"] => Route::TaskStatus(name, task.parse().ok()),
        [_, "tasks", task, "restart"] => Route::TaskRestart(name, task.parse().ok()),
        [_, "pause"] => Route::Pause(name),
        [_, "resume"] => Route::Resume(name),
        [_, "stop"] => Route::Stop(name),
        [_, "restart"] => Route::Restart(name),
        [_, "fence"] => Route::Fence(name),
        [_, "topics"] => Route::Topics(name),
        [_, "topics", "reset"] => Route::TopicsReset(name),
        [_, "offsets"] => Route::Offsets(name),
        _ => return None,
    })
}

fn plugin(parts: &[&str], class: String) -> Option<Route> {
    Some(match parts {
        [] => Route::Plugins,
        [_, "config"] => Route::PluginConfig(class),
        [_, "config", "validate"] => Route::PluginValidate(class),
        _ => return None,
    })
}

fn module(parts: &[&str], digest: String) -> Option<Route> {
    Some(match parts {
        [] => Route::Modules,
        [_] => Route::Module(digest),
        [_, "bytes"] => Route::ModuleBytes(digest),
        _ => return None,
    })
}

fn binding(parts: &[&str], class: String) -> Option<Route> {
    Some(match parts {
        [] => Route::Bindings,
        [_] => Route::Binding(class),
        [_, "history"] => Route::BindingHistory(class),
        [_, "rollback"] => Route::BindingRollback(class),
        _ => return None,
    })
}

fn logger(parts: &[&str], name: String) -> Option<Route> {
    match parts {
        [] => Some(Route::Loggers),
        [_] => Some(Route::Logger(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::segments;

    fn find(face: Face, path: &str) -> Option<Route> {
        Route::find(face, &segments(path).unwrap())
    }

    #[test]
    fn admin_resources_are_on_their_face_only() {
        assert_eq!(find(Face::All, "/admin/loggers"), Some(Route::Loggers));
        assert_eq!(find(Face::Regular, "/admin/loggers"), None);
        assert_eq!(
            find(Face::Admin, "/admin/loggers/root"),
            Some(Route::Logger("root".to_owned()))
        );
        assert_eq!(find(Face::Admin, "/connectors"), None);
        assert_eq!(find(Face::Regular, "/connectors"), Some(Route::Connectors));
    }

    #[test]
    fn unknown_paths_are_no_resource() {
        let paths = [
            "/nope",
            "/connectorsx",
            "/connectors/a/b",
            "/admin",
            "/connector-plugins/a",
            "/%63onnectors",
            "/connectors/a/%63onfig",
            "/./connectors",
        ];
        for path in paths {
            assert_eq!(find(Face::All, path), None, "{path}");
        }
    }

    #[test]
    fn allow_names_all_methods_in_order() {
        assert_eq!(Route::Connectors.allow(), "GET,HEAD,OPTIONS,POST");
        assert_eq!(Route::Connector("c".to_owned()).allow(), "DELETE,GET,HEAD,OPTIONS");
        assert_eq!(Route::Pause("c".to_owned()).allow(), "OPTIONS,PUT");
    }
}
